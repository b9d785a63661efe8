output "name" {
  description = "The cluster, once nodes can run pods."
  value       = aws_eks_cluster.this.name
  depends_on  = [aws_eks_node_group.this]
}

output "oidc_provider" {
  description = "For roles by service account (IRSA): ARN, and issuer without https://."
  value       = { arn = aws_iam_openid_connect_provider.this.arn, issuer = trimprefix(aws_iam_openid_connect_provider.this.url, "https://") }
}

output "node_groups" {
  description = "The Auto Scaling group of each group of nodes, fewest and most nodes."
  value       = { for key, group in aws_eks_node_group.this : key => { name = group.resources[0].autoscaling_groups[0].name, min = var.nodes[key].min, max = var.nodes[key].max } }
}
