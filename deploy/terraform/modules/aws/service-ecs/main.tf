locals {
  # What runs: the roles, and beside the API a second set of it that the green target group leads to.
  services = merge(
    { for role, size in var.roles : role => merge(size, { target_group_arn = role == "api" ? var.target_group_arns.blue : null }) },
    var.green_tasks == null ? {} : { api-green = merge(var.roles["api"], { tasks = var.green_tasks, target_group_arn = var.target_group_arns.green }) },
  )
}

resource "aws_ecs_cluster" "this" {
  name = var.name
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}

module "tasks" {
  source         = "./tasks"
  name           = var.name
  image          = var.image
  repository_arn = var.repository_arn
  architecture   = var.architecture
  settings       = var.settings
  secrets        = var.secrets
  kms_key_arns   = var.kms_key_arns
  sizes          = local.services
  log_groups     = var.log_groups
  task_policy    = var.task_policy
}

resource "aws_ecs_service" "this" {
  for_each                           = local.services
  name                               = "${var.name}-${each.key}"
  cluster                            = aws_ecs_cluster.this.arn
  task_definition                    = module.tasks.arns[each.key]
  desired_count                      = each.value.tasks
  platform_version                   = "LATEST"
  propagate_tags                     = "SERVICE"
  enable_ecs_managed_tags            = true
  availability_zone_rebalancing      = "ENABLED"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = each.value.target_group_arn == null ? null : 60

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.security_group_id]
    assign_public_ip = false
  }

  # One is always on capacity that stays.
  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    base              = 1
    weight            = 100 - each.value.spot_percent
  }
  dynamic "capacity_provider_strategy" {
    for_each = each.value.spot_percent > 0 ? [each.value.spot_percent] : []
    content {
      capacity_provider = "FARGATE_SPOT"
      weight            = capacity_provider_strategy.value
    }
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  dynamic "alarms" {
    for_each = each.value.target_group_arn == null ? [] : [var.rollback_alarms]
    content {
      alarm_names = alarms.value
      enable      = true
      rollback    = true
    }
  }
  dynamic "load_balancer" {
    for_each = each.value.target_group_arn[*]
    content {
      target_group_arn = load_balancer.value
      container_name   = "outrigger"
      container_port   = tonumber(var.settings["PORT"])
    }
  }

  lifecycle {
    ignore_changes = [task_definition, desired_count]
  }
  depends_on = [aws_ecs_cluster_capacity_providers.this, module.tasks]
}
