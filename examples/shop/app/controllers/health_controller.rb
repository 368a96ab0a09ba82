# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What the load balancer asks: can this server do its work?
class HealthController < ActionController::API
  CHECKS = {
    database: -> { ActiveRecord::Base.connection.select_value("SELECT 1") },
    redis: -> { REDIS.with(&:ping) }
  }.freeze

  def show
    stores = CHECKS.transform_values { |check| up?(check) ? "up" : "down" }
    status = stores.value?("down") ? :service_unavailable : :ok
    render json: { release: Rails.configuration.x.release, **stores }, status:
  end

  private

  def up?(check)
    check.call
    true
  rescue StandardError => error
    # The class alone: a driver's message can quote the address, password included.
    logger.error("health check: #{error.class}")
    false
  end
end
