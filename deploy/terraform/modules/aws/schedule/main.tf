locals {
  # The database needs some minutes before services ask it.
  times = {
    wake  = "cron(0 ${var.hours.begin} ? * MON-FRI *)"
    sleep = "cron(0 ${var.hours.end} ? * MON-FRI *)"
    start = "cron(30 ${var.hours.begin - 1} ? * MON-FRI *)"
    stop  = "cron(15 ${var.hours.end} ? * MON-FRI *)"
  }
  # The same as groups of nodes want it, half an hour before and after.
  recurrence = {
    wake  = "30 ${var.hours.begin - 1} * * MON-FRI"
    sleep = "15 ${var.hours.end} * * MON-FRI"
  }
  actions = merge([for role, id in var.services : {
    "${role}-wake"  = { id = id, time = local.times.wake, min = var.limits[role].min, max = var.limits[role].max }
    "${role}-sleep" = { id = id, time = local.times.sleep, min = 0, max = 0 }
  }]...)
}

resource "aws_appautoscaling_scheduled_action" "this" {
  for_each           = local.actions
  name               = "${var.name}-${each.key}"
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = each.value.id
  schedule           = each.value.time
  timezone           = var.hours.time_zone
  scalable_target_action {
    min_capacity = each.value.min
    max_capacity = each.value.max
  }
}

# Nodes of Kubernetes: without any, pods wait for the morning. Groups of none are left alone by the
# cluster autoscaler.
resource "aws_autoscaling_schedule" "this" {
  for_each = merge([for key, group in var.node_groups : {
    "${key}-wake"  = { group = group.name, time = local.recurrence.wake, min = group.min, max = group.max }
    "${key}-sleep" = { group = group.name, time = local.recurrence.sleep, min = 0, max = 0 }
  }]...)
  scheduled_action_name  = "${var.name}-${each.key}"
  autoscaling_group_name = each.value.group
  recurrence             = each.value.time
  time_zone              = var.hours.time_zone
  min_size               = each.value.min
  max_size               = each.value.max
  desired_capacity       = each.value.min
}

resource "aws_iam_role" "this" {
  count = var.has_database ? 1 : 0
  name  = "${var.name}-schedule"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "scheduler.amazonaws.com" } }]
  })
}

data "aws_iam_policy_document" "this" {
  count = var.has_database ? 1 : 0
  statement {
    actions   = ["rds:StartDBInstance", "rds:StopDBInstance"]
    resources = [var.database.arn]
  }
  statement {
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arn]
  }
}

resource "aws_iam_role_policy" "this" {
  count  = var.has_database ? 1 : 0
  name   = "database"
  role   = aws_iam_role.this[0].id
  policy = data.aws_iam_policy_document.this[0].json
}

resource "aws_scheduler_schedule" "database" {
  for_each                     = toset(var.has_database ? ["start", "stop"] : [])
  name                         = "${var.name}-database-${each.key}"
  schedule_expression          = local.times[each.key]
  schedule_expression_timezone = var.hours.time_zone
  kms_key_arn                  = var.kms_key_arn
  flexible_time_window {
    mode = "OFF"
  }
  target {
    arn      = "arn:aws:scheduler:::aws-sdk:rds:${each.key}DBInstance"
    role_arn = aws_iam_role.this[0].arn
    input    = jsonencode({ DbInstanceIdentifier = var.database.id })
  }
}
