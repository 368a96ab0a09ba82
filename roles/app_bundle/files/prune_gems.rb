# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Removes the gems that Bundler installed for an earlier lock, a base image's: the distribution's packages and those that
# came with Ruby stay. Prints what it removed.
require "fileutils"

wanted = Bundler.load.specs.map(&:full_name)
Dir[File.join(Gem.dir, "specifications", "*.gemspec")].each do |file|
  name = File.basename(file, ".gemspec")
  next if wanted.include?(name) || name.start_with?("bundler-")

  puts name
  FileUtils.rm_rf [
    file,
    File.join(Gem.dir, "gems", name),
    File.join(Gem.dir, "cache", "#{name}.gem"),
    File.join(Gem.extension_api_version.then { |api| File.join(Gem.dir, "extensions", Gem::Platform.local.to_s, api) }, name),
  ]
end
