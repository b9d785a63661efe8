provider "aws" {
  region = "us-east-1"
}

variables {
  name           = "outrigger-test"
  cluster_name   = "outrigger-test"
  services       = { api = "outrigger-test-api", worker = "outrigger-test-worker" }
  limits         = { api = { min = 2, max = 10 }, worker = { min = 1, max = 5 } }
  request_labels = { api = "app/outrigger-test/1/targetgroup/outrigger-test-blue/2", api-green = "app/outrigger-test/1/targetgroup/outrigger-test-green/3" }
  connections    = { of = { api = 12, api-green = 12, worker = 18 }, max = 800 }
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

run "with_a_second_set_of_the_api" {
  command = plan
  variables {
    services = { api = "outrigger-test-api", api-green = "outrigger-test-api-green", worker = "outrigger-test-worker" }
    limits   = { api = { min = 2, max = 10 }, api-green = { min = 1, max = 10 }, worker = { min = 1, max = 5 } }
  }
  assert {
    condition     = aws_appautoscaling_policy.target["api-green-requests"].target_tracking_scaling_policy_configuration[0].predefined_metric_specification[0].resource_label == var.request_labels["api-green"]
    error_message = "it grows with the requests of its own target group"
  }
}

run "wrong_input" {
  command = plan
  variables {
    limits = { api = { min = 3, max = 2 }, worker = { min = 1, max = 1 } }
  }
  expect_failures = [var.limits]
}

run "more_connections_than_the_database_takes" {
  command = plan
  variables {
    connections = { of = { api = 12, worker = 18 }, max = 209 }
  }
  expect_failures = [var.connections]
}
