# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

class Article < ApplicationRecord
  WORDS_PER_MINUTE = 200

  validates :title, presence: true, uniqueness: true
  validates :body, presence: true

  scope :newest, -> { order(id: :desc).limit(12) }

  def measure_reading_time
    update!(reading_minutes: (body.split.size / WORDS_PER_MINUTE.to_f).ceil)
  end

  def serializable_hash(options = nil)
    super(only: %i[id title reading_minutes], **options.to_h)
  end
end
