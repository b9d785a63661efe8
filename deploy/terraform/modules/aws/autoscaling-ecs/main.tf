locals {
  # API and, beside it, its second set: each by its CPU, memory and requests.
  apis = toset([for service in keys(var.services) : service if startswith(service, "api")])
  targets = merge(
    { for service in keys(var.services) : "${service}-cpu" => { service = service, metric = "ECSServiceAverageCPUUtilization", value = 70, label = null } },
    { for service in keys(var.services) : "${service}-memory" => { service = service, metric = "ECSServiceAverageMemoryUtilization", value = 80, label = null } },
    { for service in local.apis : "${service}-requests" => { service = service, metric = "ALBRequestCountPerTarget", value = var.requests_per_minute, label = var.request_labels[service] } },
  )
}

resource "aws_appautoscaling_target" "this" {
  for_each           = var.services
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${var.cluster_name}/${each.value}"
  min_capacity       = var.limits[each.key].min
  max_capacity       = var.limits[each.key].max
}

resource "aws_appautoscaling_policy" "target" {
  for_each           = local.targets
  name               = each.key
  policy_type        = "TargetTrackingScaling"
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = aws_appautoscaling_target.this[each.value.service].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = each.value.value
    scale_out_cooldown = 60
    scale_in_cooldown  = 300
    predefined_metric_specification {
      predefined_metric_type = each.value.metric
      resource_label         = each.value.label
    }
  }
}

# Half as many workers again while tasks wait too long; CPU and memory take them away.
resource "aws_appautoscaling_policy" "queue_age" {
  name               = "worker-queue-age"
  policy_type        = "StepScaling"
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = aws_appautoscaling_target.this["worker"].resource_id

  step_scaling_policy_configuration {
    adjustment_type          = "PercentChangeInCapacity"
    metric_aggregation_type  = "Average"
    min_adjustment_magnitude = 1
    cooldown                 = 60
    step_adjustment {
      metric_interval_lower_bound = 0
      scaling_adjustment          = 50
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "queue_age" {
  alarm_name          = "${var.name}-scale-workers"
  alarm_description   = "Tasks wait longer than ${var.queue_age_s} s: adds workers"
  namespace           = "Outrigger"
  metric_name         = "outrigger_queue_oldest_seconds"
  dimensions          = { deployment = var.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.queue_age_s
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.queue_age.arn]
}
