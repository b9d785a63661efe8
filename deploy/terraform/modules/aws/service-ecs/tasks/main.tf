locals {
  region = split(":", var.repository_arn)[3]
  commands = {
    api     = ["serve", "--roles", "api"]
    worker  = ["serve", "--roles", "worker,scheduler"]
    migrate = ["migrate", "apply"]
  }
  # What each task is: the second set of the API is the API.
  roles = merge({ for task in keys(var.sizes) : task => trimsuffix(task, "-green") }, { migrate = "migrate" })
  sizes = merge(var.sizes, { migrate = { cpu = 256, memory = 512 } })
  logs = { for task, group in var.log_groups : task => {
    logDriver = "awslogs"
    options   = { awslogs-group = group, awslogs-region = local.region, awslogs-stream-prefix = task }
  } }
  containers = { for task, role in local.roles : task => merge({
    name             = "outrigger"
    image            = var.image
    essential        = true
    command          = local.commands[role]
    environment      = [for key, value in var.settings : { name = key, value = value }]
    secrets          = [for key, arn in var.secrets : { name = key, valueFrom = arn }]
    logConfiguration = local.logs[role]
    # No rights, and nothing to write to.
    user                   = "65532:65532"
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    mountPoints            = []
    systemControls         = []
    volumesFrom            = []
    portMappings           = role == "api" ? [{ containerPort = tonumber(var.settings["PORT"]), hostPort = tonumber(var.settings["PORT"]), protocol = "tcp" }] : []
    # What http.shutdown_s allows, and some to spare.
    stopTimeout = 35
    }, role == "migrate" ? {} : {
    healthCheck = { command = ["CMD", "/usr/local/bin/outrigger", "health"], interval = 10, timeout = 5, retries = 3, startPeriod = 30 }
  }) }
}

resource "aws_ecs_task_definition" "this" {
  for_each                 = local.containers
  family                   = "${var.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = local.sizes[each.key].cpu
  memory                   = local.sizes[each.key].memory
  execution_role_arn       = aws_iam_role.this["execution"].arn
  task_role_arn            = aws_iam_role.this["task"].arn
  container_definitions    = jsonencode([each.value])
  runtime_platform {
    cpu_architecture        = var.architecture
    operating_system_family = "LINUX"
  }
}
