locals {
  # Beside what it does with all lines that pods write.
  observability = { containerLogs = { fluentBit = { config = { extraFiles = {
    "outrigger-metrics.conf" = templatefile("${path.module}/metrics.conf.tftpl", { group = var.metrics_log_group })
  } } } } }
}

resource "aws_eks_addon" "this" {
  for_each                    = toset(["coredns", "metrics-server", "amazon-cloudwatch-observability"])
  cluster_name                = var.cluster_name
  addon_name                  = each.key
  configuration_values        = each.key == "amazon-cloudwatch-observability" ? jsonencode(local.observability) : null
  resolve_conflicts_on_update = "OVERWRITE"
}
