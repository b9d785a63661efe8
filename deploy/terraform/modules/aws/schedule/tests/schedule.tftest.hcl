provider "aws" {
  region = "us-east-1"
}

variables {
  name        = "outrigger-test"
  environment = "dev"
  services    = { api = "service/outrigger-test/outrigger-test-api", worker = "service/outrigger-test/outrigger-test-worker" }
  limits      = { api = { min = 1, max = 3 }, worker = { min = 1, max = 2 } }
  database    = { id = "outrigger-test", arn = "arn:aws:rds:us-east-1:123456789012:db:outrigger-test" }
  hours       = { begin = 8, end = 19, time_zone = "Asia/Singapore" }
  kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/1"
}

run "nights_and_weekends_off" {
  command = apply
  assert {
    condition     = { for key, a in aws_appautoscaling_scheduled_action.this : key => a.scalable_target_action[0].max_capacity } == { api-wake = "3", api-sleep = "0", worker-wake = "2", worker-sleep = "0" }
    error_message = "services go to nothing and come back"
  }
  assert {
    condition     = { for key, s in aws_scheduler_schedule.database : key => s.schedule_expression } == { start = "cron(30 7 ? * MON-FRI *)", stop = "cron(15 19 ? * MON-FRI *)" }
    error_message = "the database starts before them and stops after them"
  }
  assert {
    condition     = alltrue([for s in aws_scheduler_schedule.database : s.schedule_expression_timezone == "Asia/Singapore"])
    error_message = "in the time of those who work"
  }
}

run "nodes_of_kubernetes" {
  command = plan
  variables {
    services     = {}
    limits       = {}
    database     = null
    has_database = false
    node_groups  = { steady = { name = "eks-steady-1", min = 1, max = 2 } }
  }
  assert {
    condition     = { for key, a in aws_autoscaling_schedule.this : key => "${a.recurrence} ${a.min_size}-${a.max_size}" } == { steady-wake = "30 7 * * MON-FRI 1-2", steady-sleep = "15 19 * * MON-FRI 0-0" }
    error_message = "nodes go at night, and come back before work begins"
  }
  assert {
    condition     = length(aws_scheduler_schedule.database) == 0 && length(aws_iam_role.this) == 0
    error_message = "a database elsewhere is left alone"
  }
}

run "wrong_input" {
  command = plan
  variables {
    environment = "prod"
    hours       = { begin = 20, end = 8, time_zone = "UTC" }
  }
  expect_failures = [var.environment, var.hours]
}
