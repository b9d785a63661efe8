provider "aws" {
  region = "us-east-1"
}

variables {
  name          = "outrigger-test"
  kms_key_arn   = "arn:aws:kms:us-east-1:123456789012:key/1"
  emails        = ["ops@example.com"]
  ecs           = { cluster = "outrigger-test", services = { api = "outrigger-test-api", worker = "outrigger-test-worker" } }
  load_balancer = { suffix = "app/outrigger-test/1", target_groups = { blue = "targetgroup/b/1", green = "targetgroup/g/2" } }
  database      = { id = "outrigger-test", storage_gib = 100, connections_max = 200 }
  redis_nodes   = ["outrigger-test-001"]
  memory_mib    = 1024
  is_always_on  = true
}

run "thresholds" {
  command = apply
  assert {
    condition = module.alarms.thresholds == {
      api-errors                   = 5, response-time = 0.5, unhealthy-blue = 0, unhealthy-green = 0
      ProcessAway                  = 1, RequestsFail = 0.05, RequestsSlow = 0.5, RequestsRefused = 0
      DatabaseSlow                 = 0.25, DatabaseFails = 0.1, DatabaseFull = 0, RedisSkipped = 0
      WorkersStandStill            = 30, TasksWait = 60, TasksFail = 0, DeadTasksGrow = 10
      EventsWait                   = 120
      WrongPasswords               = 100, MemoryShort = 966367641, NoScheduler = 1
      api-cpu                      = 80, api-memory = 80, worker-cpu = 80, worker-memory = 80
      database-cpu                 = 80, database-connections = 170, database-storage = 16106127360
      redis-cpu-outrigger-test-001 = 80, redis-memory-outrigger-test-001 = 80
    }
    error_message = "alarms are set at what operators were promised"
  }
  assert {
    condition     = tolist(module.alarms.actions) == tolist([aws_sns_topic.this.arn])
    error_message = "each alarm reaches people"
  }
  assert {
    condition     = toset(keys(aws_cloudwatch_event_rule.failures)) == toset(["tasks", "rollouts"]) && keys(aws_sns_topic_subscription.this) == ["ops@example.com"]
    error_message = "failed tasks and roll-outs are told"
  }
  assert {
    condition     = [for case in jsondecode(aws_cloudwatch_event_rule.failures["tasks"].event_pattern).detail["$or"] : case if try(case.group, null) == null && case.stopCode == ["EssentialContainerExited"]][0].containers.exitCode == [{ anything-but = 0 }]
    error_message = "a task that has done its work has not failed"
  }
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.failures["rollouts"].event_pattern).resources == [{ wildcard = "*:service/outrigger-test/*" }]
    error_message = "other deployments' roll-outs are not ours"
  }
  assert {
    condition     = module.alarms.loud_when_silent == ["NoScheduler", "ProcessAway"]
    error_message = "it is told when nothing is measured any more"
  }
  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.this : group.retention_in_days == 30 && group.kms_key_id == var.kms_key_arn])
    error_message = "logs are encrypted and do not stay for ever"
  }
  assert {
    condition     = keys(aws_cloudwatch_log_group.insights) == ["/aws/ecs/containerinsights/outrigger-test/performance"]
    error_message = "what Container Insights writes is kept as long, and goes with the rest"
  }
  assert {
    condition     = module.alarms.own["RequestsFail"].text == "more than 5 % of requests fail: https://github.com/outrigger-rs/outrigger/blob/main/docs/operations/runbooks.md#requestsfail"
    error_message = "who is woken by an alarm is told what to do"
  }
  assert {
    condition     = module.alarms.own["RequestsFail"].metrics["failed"].dimensions == tomap({ deployment = "outrigger-test", status = "5xx" }) && module.alarms.own["RequestsFail"].metrics["requests"].dimensions == tomap({ deployment = "outrigger-test" })
    error_message = "alarms look at what the process writes"
  }
  assert {
    condition     = toset([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.metrics[0][0].expression if widget.properties.title == "queue tasks"]) == toset(["SEARCH('{Outrigger,deployment,queue,state} MetricName=\"outrigger_queue_tasks\" deployment=\"outrigger-test\"', 'Maximum', 60)"])
    error_message = "the dashboard shows every metric by its dimensions"
  }
  assert {
    condition     = alltrue([for title in ["Requests", "Database", "http request duration seconds"] : contains([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.title], title)])
    error_message = "the dashboard shows what AWS measures too"
  }
}

run "on_kubernetes" {
  command = plan
  variables {
    ecs          = null
    eks_cluster  = "outrigger-test"
    is_always_on = false
  }
  assert {
    condition     = { for role in ["api", "worker"] : role => module.alarms.dimensions["pod-restarts-${role}"] } == { for role in ["api", "worker"] : role => tomap({ ClusterName = "outrigger-test", Namespace = "outrigger", PodName = role }) }
    error_message = "restarts have the dimensions that the agent gives them"
  }
  assert {
    condition     = length(module.alarms.loud_when_silent) == 0
    error_message = "what sleeps at night may be silent"
  }
  assert {
    condition     = module.alarms.thresholds["node-failures"] == 0 && module.alarms.thresholds["node-cpu"] == 80 && length(aws_cloudwatch_event_rule.failures) == 0
    error_message = "nodes are watched instead of tasks"
  }
}

run "wrong_input" {
  command = plan
  variables {
    log_days = 31
    emails   = ["ops"]
  }
  expect_failures = [var.log_days, var.emails]
}
