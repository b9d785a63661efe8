resource "aws_cloudwatch_log_group" "this" {
  for_each          = var.log_groups
  name              = "/${var.name}/${each.key}"
  retention_in_days = var.log_days
  kms_key_id        = var.kms_key_arn
}

# Container Insights would make them itself, and leave them behind.
resource "aws_cloudwatch_log_group" "insights" {
  for_each = toset(concat(
    [for ecs in var.ecs[*] : "/aws/ecs/containerinsights/${ecs.cluster}/performance"],
    [for pair in setproduct(var.eks_cluster[*], ["application", "dataplane", "host", "performance"]) : "/aws/containerinsights/${pair[0]}/${pair[1]}"],
  ))
  name              = each.key
  retention_in_days = var.log_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_sns_topic" "this" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.kms_key_arn
}

data "aws_iam_policy_document" "topic" {
  statement {
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.this.arn]
    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "events.amazonaws.com", "budgets.amazonaws.com"]
    }
  }
}

resource "aws_sns_topic_policy" "this" {
  arn    = aws_sns_topic.this.arn
  policy = data.aws_iam_policy_document.topic.json
}

module "alarms" {
  source        = "./alarms"
  name          = var.name
  topic_arn     = aws_sns_topic.this.arn
  ecs           = var.ecs
  eks_cluster   = var.eks_cluster
  load_balancer = var.load_balancer
  database      = var.database
  redis_nodes   = var.redis_nodes
  memory_mib    = var.memory_mib
  is_always_on  = var.is_always_on
}

resource "aws_sns_topic_subscription" "this" {
  for_each  = var.emails
  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.key
}

# Tasks of services that end by themselves, others that fail, those that do not start, and roll-outs that turn back.
resource "aws_cloudwatch_event_rule" "failures" {
  for_each = { for key, rule in {
    tasks = { "detail-type" = ["ECS Task State Change"], detail = {
      lastStatus = ["STOPPED"]
      clusterArn = [{ suffix = "/${try(var.ecs.cluster, "")}" }]
      "$or" = [
        { stopCode = ["TaskFailedToStart"] },
        { stopCode = ["EssentialContainerExited"], group = [{ prefix = "service:" }] },
        { stopCode = ["EssentialContainerExited"], containers = { exitCode = [{ anything-but = 0 }] } },
      ]
    } }
    rollouts = { "detail-type" = ["ECS Deployment State Change"], detail = { eventName = ["SERVICE_DEPLOYMENT_FAILED"] }, resources = [{ wildcard = "*:service/${try(var.ecs.cluster, "")}/*" }] }
  } : key => jsonencode(merge({ source = ["aws.ecs"] }, rule)) if var.ecs != null }
  name          = "${var.name}-failed-${each.key}"
  description   = "Failed ${each.key} of ${var.name}"
  event_pattern = each.value
}

resource "aws_cloudwatch_event_target" "failures" {
  for_each = aws_cloudwatch_event_rule.failures
  rule     = each.value.name
  arn      = aws_sns_topic.this.arn
}

locals {
  # Title, and metrics as CloudWatch has them.
  graphs = concat(
    [for title, metrics in {
      "Requests"      = [["AWS/ApplicationELB", "RequestCount", "LoadBalancer", local.balancer, { stat = "Sum" }], [".", "HTTPCode_Target_5XX_Count", ".", ".", { stat = "Sum" }], [".", "HTTPCode_Target_4XX_Count", ".", ".", { stat = "Sum" }]]
      "Response time" = [["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", local.balancer, { stat = "p50" }], ["...", { stat = "p95" }], ["...", { stat = "p99" }]]
    } : { title = title, metrics = metrics } if var.load_balancer != null],
    [for metric in ["CPUUtilization", "MemoryUtilization"] : {
      title   = "${metric} of services"
      metrics = [for service in var.ecs.services : ["AWS/ECS", metric, "ClusterName", var.ecs.cluster, "ServiceName", service]]
    } if var.ecs != null],
    [for database in var.database[*] : {
      title   = "Database"
      metrics = [["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", database.id], [".", "DatabaseConnections", ".", ".", { yAxis = "right" }]]
    }],
    # What the process tells of itself, by whatever dimensions there are.
    [for graph in local.own.graphs : {
      title = graph.title
      metrics = [for index, stat in graph.stats : [{
        id         = "s${index}"
        expression = "SEARCH('{${join(",", concat([local.own.namespace], graph.by))}} MetricName=\"${graph.name}\" deployment=\"${var.name}\"', '${stat}', 60)"
        yAxis      = index == 0 ? "left" : "right"
      }]]
    }],
  )
  balancer = try(var.load_balancer.suffix, "")
  own      = jsondecode(file("${path.module}/cloudwatch.json"))
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({ widgets = [for index, graph in local.graphs : {
    type       = "metric"
    x          = 8 * (index % 3)
    y          = 6 * floor(index / 3)
    width      = 8
    height     = 6
    properties = { title = graph.title, metrics = graph.metrics, region = split(":", aws_sns_topic.this.arn)[3], period = 60, view = "timeSeries" }
  }] })
}
