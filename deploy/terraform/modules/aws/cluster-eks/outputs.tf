output "name" {
  description = "The cluster, once nodes can run pods."
  value       = aws_eks_cluster.this.name
  depends_on  = [aws_eks_node_group.this]
}

output "oidc_provider_arn" {
  description = "For roles by service account (IRSA)."
  value       = aws_iam_openid_connect_provider.this.arn
}
