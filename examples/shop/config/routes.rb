# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

Rails.application.routes.draw do
  root "home#show"
  get "up", to: "health#show"
  resources :articles, only: %i[index new create]
end
