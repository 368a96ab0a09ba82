# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# How often the front page was shown: one number in Redis for all servers and releases of an environment.
module VisitCounter
  KEY = "shop:visits"

  def self.increment
    REDIS.with { |redis| redis.incr(KEY) }
  end
end
