locals {
  policy = "arn:aws:eks::aws:cluster-access-policy"
  access = merge(
    { for arn in var.administrators : arn => "${local.policy}/AmazonEKSClusterAdminPolicy" },
    { for arn in var.viewers : arn => "${local.policy}/AmazonEKSViewPolicy" },
  )
}

resource "aws_eks_access_entry" "this" {
  for_each      = local.access
  cluster_name  = var.cluster_name
  principal_arn = each.key
}

# What these may do stands in the cluster (deploy/kubernetes/cluster).
resource "aws_eks_access_entry" "deployers" {
  for_each          = var.deployers
  cluster_name      = var.cluster_name
  principal_arn     = each.key
  kubernetes_groups = ["outrigger-deployers"]
}

resource "aws_eks_access_policy_association" "this" {
  for_each      = local.access
  cluster_name  = var.cluster_name
  principal_arn = aws_eks_access_entry.this[each.key].principal_arn
  policy_arn    = each.value
  access_scope {
    type = "cluster"
  }
}
