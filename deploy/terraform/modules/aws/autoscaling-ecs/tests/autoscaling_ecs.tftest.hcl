provider "aws" {
  region = "us-east-1"
}

variables {
  name          = "outrigger-test"
  cluster_name  = "outrigger-test"
  services      = { api = "outrigger-test-api", worker = "outrigger-test-worker" }
  limits        = { api = { min = 2, max = 10 }, worker = { min = 1, max = 5 } }
  request_label = "app/outrigger-test/1/targetgroup/outrigger-test-blue/2"
}

run "within_limits" {
  command = apply
  assert {
    condition     = { for role, t in aws_appautoscaling_target.this : role => "${t.min_capacity}-${t.max_capacity}" } == { api = "2-10", worker = "1-5" }
    error_message = "there are never fewer or more tasks"
  }
  assert {
    condition = { for key, p in aws_appautoscaling_policy.target : key => p.target_tracking_scaling_policy_configuration[0].target_value } == {
      api-cpu = 70, api-memory = 80, api-requests = 30000, worker-cpu = 70, worker-memory = 80
    }
    error_message = "CPU 70 %, memory 80 %, and requests for the API"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.queue_age.threshold == 10 && toset(aws_cloudwatch_metric_alarm.queue_age.alarm_actions) == toset([aws_appautoscaling_policy.queue_age.arn]) && aws_appautoscaling_policy.queue_age.resource_id == "service/outrigger-test/outrigger-test-worker"
    error_message = "tasks that wait longer than 10 s add workers"
  }
}

run "wrong_input" {
  command = plan
  variables {
    limits = { api = { min = 3, max = 2 }, worker = { min = 1, max = 1 } }
  }
  expect_failures = [var.limits]
}
