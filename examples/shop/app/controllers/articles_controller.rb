# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

class ArticlesController < ApplicationController
  def index
    render json: { release: Rails.configuration.x.release, articles: Article.newest }
  end

  def new
    @article = Article.new
  end

  def create
    @article = Article.new(params.require(:article).permit(:title, :body))
    if @article.save
      ReadingTimeJob.perform_later(@article)
      redirect_to root_path
    else
      render :new, status: :unprocessable_entity
    end
  end
end
