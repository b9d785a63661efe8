locals {
  # In percent of the budget: spent, and expected by the end of the month.
  notices = { ACTUAL = [80, 100], FORECASTED = [100] }
}

resource "aws_budgets_budget" "this" {
  name         = var.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = format("%.2f", var.monthly_usd)
  limit_unit   = "USD"

  dynamic "cost_filter" {
    for_each = length(var.tags) > 0 ? [1] : []
    content {
      name   = "TagKeyValue"
      values = [for key, value in var.tags : format("user:%s$%s", key, value)]
    }
  }

  dynamic "notification" {
    for_each = flatten([for type, percents in local.notices : [for percent in percents : { type = type, percent = percent }]])
    content {
      notification_type         = notification.value.type
      threshold                 = notification.value.percent
      threshold_type            = "PERCENTAGE"
      comparison_operator       = "GREATER_THAN"
      subscriber_sns_topic_arns = [var.topic_arn]
    }
  }
}
