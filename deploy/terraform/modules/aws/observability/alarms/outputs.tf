output "thresholds" {
  description = "What each alarm is set at."
  value = merge(
    { for key, alarm in merge(aws_cloudwatch_metric_alarm.this, aws_cloudwatch_metric_alarm.own) : key => alarm.threshold },
    { for alarm in aws_cloudwatch_metric_alarm.errors : "api-errors" => alarm.threshold },
    { for alarm in aws_cloudwatch_metric_alarm.storage : "database-storage" => alarm.threshold },
  )
}

output "dimensions" {
  description = "What each alarm looks at."
  value       = { for key, alarm in aws_cloudwatch_metric_alarm.this : key => alarm.dimensions }
}

output "own" {
  description = "The alarms of what the process tells of itself: what they say, and what they look at."
  value = { for key, alarm in aws_cloudwatch_metric_alarm.own : key => {
    text    = alarm.alarm_description
    metrics = { for query in alarm.metric_query : query.id => query.metric[0] if length(query.metric) > 0 }
  } }
}

output "loud_when_silent" {
  description = "Alarms that fire too when nothing is measured."
  value       = [for key, alarm in aws_cloudwatch_metric_alarm.own : key if alarm.treat_missing_data == "breaching"]
}

output "actions" {
  description = "Whom the alarms tell."
  value       = distinct(flatten([for alarm in concat(values(aws_cloudwatch_metric_alarm.this), values(aws_cloudwatch_metric_alarm.own), aws_cloudwatch_metric_alarm.errors, aws_cloudwatch_metric_alarm.storage) : tolist(alarm.alarm_actions)]))
}

output "rollback" {
  description = "Alarms that a bad roll-out sets off."
  value       = concat(aws_cloudwatch_metric_alarm.errors[*].alarm_name, [for key, alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name if key == "response-time"])
}
