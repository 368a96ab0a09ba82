# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab can't show: actions that CloudFormation does with the caller's rights, by resource type, and rare calls.

Each type declares which permissions its handlers use (``handlers.*.permissions``), shown by
`aws cloudformation describe-type --type RESOURCE --type-name TYPE`.
Left out here are those for properties that the templates don't use.
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

from __future__ import annotations

ROLE = (
    "iam:CreateRole iam:GetRole iam:DeleteRole iam:TagRole iam:PutRolePolicy iam:GetRolePolicy iam:DeleteRolePolicy"
    " iam:ListRolePolicies iam:ListAttachedRolePolicies"
)
COLOUR = {
    "AWS::IAM::Role": ROLE,
    "AWS::IAM::InstanceProfile": "iam:CreateInstanceProfile iam:GetInstanceProfile iam:DeleteInstanceProfile"
    " iam:AddRoleToInstanceProfile iam:RemoveRoleFromInstanceProfile iam:PassRole",
    "AWS::SSM::Parameter": "ssm:PutParameter ssm:GetParameters ssm:DeleteParameter ssm:AddTagsToResource"
    " ssm:RemoveTagsFromResource ssm:ListTagsForResource",
    "AWS::EC2::LaunchTemplate": "ec2:CreateLaunchTemplate ec2:DeleteLaunchTemplate ec2:CreateTags ec2:DeleteTags"
    " ec2:DescribeLaunchTemplates ec2:DescribeLaunchTemplateVersions",
    "AWS::AutoScaling::AutoScalingGroup": "autoscaling:CreateAutoScalingGroup autoscaling:UpdateAutoScalingGroup"
    " autoscaling:DeleteAutoScalingGroup autoscaling:CreateOrUpdateTags autoscaling:EnableMetricsCollection"
    " autoscaling:Describe* ec2:Describe* ec2:RunInstances ec2:CreateTags elasticloadbalancing:Describe*"
    " cloudwatch:PutMetricAlarm iam:CreateServiceLinkedRole iam:PassRole",
    "AWS::AutoScaling::ScalingPolicy": "autoscaling:PutScalingPolicy autoscaling:DeletePolicy"
    " autoscaling:DescribePolicies cloudwatch:GetMetricData",
}
"""What making and deleting each resource of a colour needs."""

SHIFT = {
    "AWS::ElasticLoadBalancingV2::Listener": "elasticloadbalancing:ModifyListener"
    " elasticloadbalancing:DescribeListeners elasticloadbalancing:DescribeListenerAttributes"
    " elasticloadbalancing:DescribeTags",
    "AWS::ElasticLoadBalancingV2::ListenerRule": "elasticloadbalancing:CreateRule elasticloadbalancing:ModifyRule"
    " elasticloadbalancing:DeleteRule elasticloadbalancing:AddTags elasticloadbalancing:DescribeRules"
    " elasticloadbalancing:DescribeTags",
}
"""What the updates of the edge that a deployment makes need: weights and preview, and nothing else of it."""

EDGE = {
    "AWS::EC2::SecurityGroup": "ec2:CreateSecurityGroup ec2:DeleteSecurityGroup ec2:DescribeSecurityGroups"
    " ec2:DescribeInstances ec2:AuthorizeSecurityGroupIngress ec2:AuthorizeSecurityGroupEgress"
    " ec2:RevokeSecurityGroupIngress ec2:RevokeSecurityGroupEgress ec2:UpdateSecurityGroupRuleDescriptionsIngress"
    " ec2:UpdateSecurityGroupRuleDescriptionsEgress ec2:CreateTags ec2:DeleteTags",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "elasticloadbalancing:CreateLoadBalancer"
    " elasticloadbalancing:DeleteLoadBalancer elasticloadbalancing:ModifyLoadBalancerAttributes"
    " elasticloadbalancing:SetSecurityGroups elasticloadbalancing:SetSubnets elasticloadbalancing:AddTags"
    " elasticloadbalancing:RemoveTags elasticloadbalancing:DescribeLoadBalancers iam:CreateServiceLinkedRole",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "elasticloadbalancing:CreateTargetGroup"
    " elasticloadbalancing:DeleteTargetGroup elasticloadbalancing:ModifyTargetGroup"
    " elasticloadbalancing:ModifyTargetGroupAttributes elasticloadbalancing:DescribeTargetGroups",
    "AWS::ElasticLoadBalancingV2::Listener": "elasticloadbalancing:CreateListener elasticloadbalancing:DeleteListener"
    " elasticloadbalancing:ModifyListener elasticloadbalancing:DescribeListeners",
    "AWS::ElasticLoadBalancingV2::ListenerRule": "",
    "AWS::CloudWatch::Alarm": "cloudwatch:PutMetricAlarm cloudwatch:DeleteAlarms cloudwatch:DescribeAlarms"
    " cloudwatch:TagResource cloudwatch:UntagResource cloudwatch:ListTagsForResource",
    "AWS::CloudWatch::Dashboard": "cloudwatch:PutDashboard cloudwatch:GetDashboard cloudwatch:DeleteDashboards"
    " cloudwatch:TagResource cloudwatch:UntagResource cloudwatch:ListTagsForResource",
    "AWS::DynamoDB::Table": "dynamodb:CreateTable dynamodb:DeleteTable dynamodb:DescribeTable dynamodb:UpdateTable"
    " dynamodb:DescribeContinuousBackups dynamodb:UpdateContinuousBackups dynamodb:DescribeContributorInsights"
    " dynamodb:DescribeKinesisStreamingDestination dynamodb:DescribeTimeToLive dynamodb:GetResourcePolicy"
    " dynamodb:ListTagsOfResource dynamodb:TagResource dynamodb:UntagResource",
    "AWS::SNS::Topic": "sns:CreateTopic sns:DeleteTopic sns:GetTopicAttributes sns:SetTopicAttributes"
    " sns:GetDataProtectionPolicy sns:ListSubscriptionsByTopic sns:ListTagsForResource sns:TagResource"
    " sns:UntagResource",
    "AWS::SNS::Subscription": "sns:Subscribe sns:Unsubscribe sns:GetSubscriptionAttributes",
    "AWS::IAM::Role": f"{ROLE} iam:UpdateRole iam:UntagRole",
    "AWS::Logs::LogGroup": "logs:CreateLogGroup logs:DeleteLogGroup logs:PutRetentionPolicy logs:DescribeLogGroups"
    " logs:GetDataProtectionPolicy logs:DescribeIndexPolicies logs:DescribeResourcePolicies"
    " logs:ListTagsForResource logs:TagResource logs:UntagResource",
    "AWS::Lambda::Function": "lambda:CreateFunction lambda:GetFunction lambda:DeleteFunction"
    " lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration lambda:GetFunctionCodeSigningConfig"
    " lambda:GetFunctionRecursionConfig lambda:GetFunctionScalingConfig lambda:GetRuntimeManagementConfig"
    " lambda:ListTags lambda:TagResource lambda:UntagResource iam:PassRole",
    "AWS::Lambda::Permission": "lambda:AddPermission lambda:RemovePermission lambda:GetPolicy",
    "AWS::Lambda::EventInvokeConfig": "lambda:PutFunctionEventInvokeConfig lambda:GetFunctionEventInvokeConfig"
    " lambda:UpdateFunctionEventInvokeConfig lambda:DeleteFunctionEventInvokeConfig",
    "AWS::Events::Rule": "events:PutRule events:DescribeRule events:DeleteRule events:PutTargets events:RemoveTargets"
    " events:ListTargetsByRule events:ListTagsForResource events:TagResource events:UntagResource",
}
"""What making, updating and deleting each resource of an edge needs; its preview's rule comes with a deployment."""

RARE = {
    "secretsmanager:BatchGetSecretValue": "two secrets and more; the test's app has one",
    "ssm:GetParameters": "single parameters; the test's app has a path of them",
    "kms:Decrypt": "no call of a deployment: the stores decrypt with the rights of who reads",
    "cloudformation:TagResource": "asked for with the tags of CreateStack",
    "cloudwatch:GetMetricData": "the analysis gate, and a colour that is retired: both look at whole minutes",
    "cloudformation:CancelUpdateStack": "a deployment that turns back while the edge is being updated",
    "cloudformation:ContinueUpdateRollback": "an edge whose update could be neither finished nor undone",
}
"""Calls for which nothing in this test gives cause, and actions that are no call."""


def needed(*templates: dict[str, str]) -> set[str]:
    """All actions of the types in these tables."""
    return {action for template in templates for actions in template.values() for action in actions.split()}
