# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics and alarms: ministack keeps the alarms and speaks the protocols, the lab keeps the data and judges.

Time: a period of P seconds lasts ``settings.seconds(P)`` by the real clock, for data and for alarms. So an alarm with
a period of 60 and two evaluation periods needs two minutes of the lab. All times that are given and shown (StartTime,
EndTime, timestamps) are the real clock's: who asks for the last N real seconds gets what was seen in them, cut into
the lab's shorter periods. Minutes of the lab begin at multiples of their length since the epoch (``Clock``).
"""
