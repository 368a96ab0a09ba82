# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Every server runs this when it starts, several at once: what is there already is left alone.
titles = [
  "What a release is", "Two colours, one edge", "Images are never changed", "Where configuration comes from",
  "A swap that nobody notices", "Rolling back in seconds", "Why servers are thrown away", "Health is more than a port",
  "Draining, patiently", "Counting requests honestly", "Keeping the old images that matter", "A quiet Friday deployment"
]
rows = titles.map { |title| { title:, body: "#{title}. " * 80, reading_minutes: 2 } }
Article.insert_all(rows, unique_by: :title)
