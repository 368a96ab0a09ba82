# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The connections open at the first use, so nothing is asked for while assets are precompiled.
REDIS = ConnectionPool.new(size: Integer(ENV.fetch("RAILS_MAX_THREADS", 5)), timeout: 2) do
  Redis.new(url: ENV.fetch("REDIS_URL"), timeout: 2, reconnect_attempts: 1)
end
