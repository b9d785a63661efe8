provider "aws" {
  region = "us-east-1"
}

variables {
  name              = "outrigger-test"
  image             = "123456789012.dkr.ecr.us-east-1.amazonaws.com/outrigger:v1.2.3"
  repository_arn    = "arn:aws:ecr:us-east-1:123456789012:repository/outrigger"
  subnet_ids        = ["subnet-1", "subnet-2", "subnet-3"]
  security_group_id = "sg-1"
  target_group_arns = { blue = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/b/1", green = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/g/2" }
  settings          = { PORT = "8000", OUTRIGGER_ENV = "production" }
  secrets           = { DATABASE_URL = "arn:aws:secretsmanager:us-east-1:123456789012:secret:d" }
  kms_key_arns      = ["arn:aws:kms:us-east-1:123456789012:key/1"]
  roles             = { api = { cpu = 512, memory = 1024, tasks = 3 }, worker = { cpu = 512, memory = 1024, tasks = 2, spot_percent = 70 } }
  log_groups        = { api = "/t/api", worker = "/t/worker", migrate = "/t/migrate" }
  rollback_alarms   = ["outrigger-test-api-errors"]
  task_policy       = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::t/*" }] })
}

run "safe" {
  command = apply
  assert {
    condition     = alltrue([for s in aws_ecs_service.this : !s.network_configuration[0].assign_public_ip && length(s.network_configuration[0].subnets) == 3])
    error_message = "tasks stand in the private subnets of all zones, without public addresses"
  }
  assert {
    condition     = alltrue([for s in aws_ecs_service.this : s.deployment_circuit_breaker[0].rollback && s.deployment_minimum_healthy_percent == 100])
    error_message = "a roll-out that fails turns back, and takes nothing away meanwhile"
  }
  assert {
    condition     = aws_ecs_service.this["api"].alarms[0].rollback && contains(aws_ecs_service.this["api"].alarms[0].alarm_names, "outrigger-test-api-errors")
    error_message = "alarms turn a roll-out of the API back"
  }
  assert {
    condition     = { for p in aws_ecs_service.this["worker"].capacity_provider_strategy : p.capacity_provider => p.weight } == { FARGATE = 30, FARGATE_SPOT = 70 } && [for p in aws_ecs_service.this["api"].capacity_provider_strategy : p.capacity_provider] == ["FARGATE"]
    error_message = "only workers run on spare capacity, and not all of them"
  }
  assert {
    condition     = alltrue([for t in module.tasks.definitions : t.architecture == "ARM64"])
    error_message = "ARM64 is the default"
  }
  assert {
    condition = alltrue(flatten([for t in module.tasks.definitions : [for c in t.containers :
    c.readonlyRootFilesystem && c.user == "65532:65532" && c.linuxParameters.capabilities.drop == ["ALL"]]]))
    error_message = "containers have no rights and write nowhere"
  }
  assert {
    condition     = { for task, t in module.tasks.definitions : task => join(" ", t.containers[0].command) } == { api = "serve --roles api", worker = "serve --roles worker,scheduler", migrate = "migrate apply" }
    error_message = "one image plays all roles"
  }
  assert {
    condition     = jsondecode(module.tasks.policies["task"]) == jsondecode(var.task_policy)
    error_message = "the process may do what it needs, and metrics need nothing: they are lines of its log"
  }
  assert {
    condition     = tomap(module.tasks.environment["api"].secrets) == var.secrets
    error_message = "secrets are references"
  }
  assert {
    condition     = alltrue([for s in jsondecode(module.tasks.policies["execution"]).Statement : s.Resource != "*" || s.Action == "ecr:GetAuthorizationToken"])
    error_message = "roles name what they may reach"
  }
  assert {
    condition     = one(aws_ecs_cluster.this.setting).value == "enabled"
    error_message = "Container Insights is on"
  }
}

run "a_second_set_of_the_api" {
  command = plan
  variables {
    green_tasks = 1
  }
  assert {
    condition     = { for key, s in aws_ecs_service.this : key => join("", s.load_balancer[*].target_group_arn) } == { api = var.target_group_arns.blue, api-green = var.target_group_arns.green, worker = "" }
    error_message = "each set of the API has its own target group, and workers have none"
  }
  assert {
    condition     = aws_ecs_service.this["api-green"].desired_count == 1 && aws_ecs_service.this["api-green"].alarms[0].rollback && module.tasks.definitions["api-green"].containers[0].command == ["serve", "--roles", "api"]
    error_message = "it is the API, and its roll-outs turn back as well"
  }
}

run "wrong_input" {
  command = plan
  variables {
    green_tasks  = 0
    image        = "outrigger:latest"
    architecture = "MIPS"
    secrets      = { PORT = "arn:aws:secretsmanager:us-east-1:123456789012:secret:d" }
    roles        = { api = { cpu = 100, memory = 100, tasks = -1 } }
  }
  expect_failures = [var.green_tasks, var.image, var.architecture, var.secrets, var.roles]
}
