output "policies" {
  description = "What AWS lets each role do in the whole cluster."
  value       = { for arn, association in aws_eks_access_policy_association.this : arn => association.policy_arn }
}

output "groups" {
  description = "As which groups the cluster knows each role."
  value       = { for arn, entry in aws_eks_access_entry.deployers : arn => entry.kubernetes_groups }
}
