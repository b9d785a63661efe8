locals {
  # What the process tells of itself: deploy/alerts.toml says when that is too much.
  own = jsondecode(file("${path.module}/../cloudwatch.json"))
  # What depends on the size of the tasks.
  thresholds = { MemoryShort = floor(0.9 * 1024 * 1024 * var.memory_mib) }
  rds        = { DBInstanceIdentifier = try(var.database.id, "") }
  # What AWS measures, when it is too much, and for how many minutes.
  alarms = merge(flatten([
    [for balancer in var.load_balancer[*] : {
      response-time = { namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = { LoadBalancer = balancer.suffix }, statistic = "p95", above = 0.5, minutes = 5, text = "one request in twenty takes longer than 500 ms" }
    }],
    [for balancer in var.load_balancer[*] : {
      for colour, group in balancer.target_groups : "unhealthy-${colour}" => { namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount", dimensions = { LoadBalancer = balancer.suffix, TargetGroup = group }, statistic = "Maximum", above = 0, minutes = 3, text = "targets of ${colour} are not healthy" }
    }],
    [for role, service in try(var.ecs.services, {}) : {
      "${role}-cpu"    = { namespace = "AWS/ECS", metric = "CPUUtilization", dimensions = { ClusterName = var.ecs.cluster, ServiceName = service }, statistic = "Average", above = 80, minutes = 5, text = "${role} uses more than 80 % of its CPU" }
      "${role}-memory" = { namespace = "AWS/ECS", metric = "MemoryUtilization", dimensions = { ClusterName = var.ecs.cluster, ServiceName = service }, statistic = "Average", above = 80, minutes = 5, text = "${role} uses more than 80 % of its memory" }
    }],
    [for cluster in var.eks_cluster[*] : {
      node-failures = { namespace = "ContainerInsights", metric = "cluster_failed_node_count", dimensions = { ClusterName = cluster }, statistic = "Maximum", above = 0, minutes = 3, text = "nodes have failed" }
      node-cpu      = { namespace = "ContainerInsights", metric = "node_cpu_utilization", dimensions = { ClusterName = cluster }, statistic = "Average", above = 80, minutes = 5, text = "nodes use more than 80 % of their CPU" }
      node-memory   = { namespace = "ContainerInsights", metric = "node_memory_utilization", dimensions = { ClusterName = cluster }, statistic = "Average", above = 80, minutes = 5, text = "nodes use more than 80 % of their memory" }
    }],
    # The agent tells of restarts by workload: PodName is the name of the Deployment.
    [for pair in setproduct(var.eks_cluster[*], ["api", "worker"]) : {
      "pod-restarts-${pair[1]}" = { namespace = "ContainerInsights", metric = "pod_number_of_container_restarts", dimensions = { ClusterName = pair[0], Namespace = "outrigger", PodName = pair[1] }, statistic = "Sum", above = 5, minutes = 5, text = "containers of ${pair[1]} start again and again" }
    }],
    [for database in var.database[*] : {
      database-cpu         = { namespace = "AWS/RDS", metric = "CPUUtilization", dimensions = local.rds, statistic = "Average", above = 80, minutes = 5, text = "the database uses more than 80 % of its CPU" }
      database-connections = { namespace = "AWS/RDS", metric = "DatabaseConnections", dimensions = local.rds, statistic = "Maximum", above = floor(database.connections_max * 0.85), minutes = 5, text = "more than 85 % of the database's connections are taken" }
    }],
    [for node in var.redis_nodes : {
      "redis-cpu-${node}"    = { namespace = "AWS/ElastiCache", metric = "EngineCPUUtilization", dimensions = { CacheClusterId = node }, statistic = "Average", above = 80, minutes = 5, text = "${node} uses more than 80 % of its CPU" }
      "redis-memory-${node}" = { namespace = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", dimensions = { CacheClusterId = node }, statistic = "Maximum", above = 80, minutes = 5, text = "${node} has used more than 80 % of its memory; it evicts nothing" }
    }],
  ])...)
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  period              = 60
  evaluation_periods  = each.value.minutes
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.above
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.topic_arn]
  ok_actions          = [var.topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "own" {
  for_each            = local.own.alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  evaluation_periods  = each.value.minutes
  comparison_operator = each.value.comparison
  threshold           = lookup(local.thresholds, each.key, each.value.threshold)
  treat_missing_data  = each.value.silence && var.is_always_on ? "breaching" : "notBreaching"
  alarm_actions       = [var.topic_arn]
  ok_actions          = [var.topic_arn]

  metric_query {
    id          = "compared"
    expression  = each.value.value
    label       = each.key
    return_data = true
  }
  dynamic "metric_query" {
    for_each = each.value.metrics
    content {
      id = metric_query.key
      metric {
        namespace   = local.own.namespace
        metric_name = metric_query.value.name
        dimensions  = merge({ deployment = var.name }, metric_query.value.by)
        period      = 60
        stat        = metric_query.value.stat
      }
    }
  }
}

# Storage is full at less than 15 % left.
resource "aws_cloudwatch_metric_alarm" "storage" {
  count               = var.database == null ? 0 : 1
  alarm_name          = "${var.name}-database-storage"
  alarm_description   = "more than 85 % of the database's storage is used"
  namespace           = "AWS/RDS"
  metric_name         = "FreeStorageSpace"
  dimensions          = local.rds
  statistic           = "Minimum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "LessThanThreshold"
  threshold           = floor(var.database.storage_gib * 0.15 * 1024 * 1024 * 1024)
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.topic_arn]
  ok_actions          = [var.topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  count               = var.load_balancer == null ? 0 : 1
  alarm_name          = "${var.name}-api-errors"
  alarm_description   = "more than 5 % of requests fail"
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.topic_arn]
  ok_actions          = [var.topic_arn]

  metric_query {
    id          = "rate"
    expression  = "IF(requests > 20, 100 * (FILL(failed, 0) + FILL(refused, 0)) / requests, 0)"
    label       = "failed requests in percent"
    return_data = true
  }
  dynamic "metric_query" {
    for_each = { requests = "RequestCount", failed = "HTTPCode_Target_5XX_Count", refused = "HTTPCode_ELB_5XX_Count" }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = metric_query.value
        dimensions  = { LoadBalancer = var.load_balancer.suffix }
        period      = 60
        stat        = "Sum"
      }
    }
  }
}
