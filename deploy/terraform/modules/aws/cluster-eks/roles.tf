locals {
  roles = {
    cluster = { service = "eks.amazonaws.com", policies = ["AmazonEKSClusterPolicy"] }
    # Pods have roles of their own (identities-eks): nodes can join, and pull images.
    node = { service = "ec2.amazonaws.com", policies = ["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly"] }
  }
  attached = merge([for key, role in local.roles : { for policy in role.policies : "${key}-${policy}" => { role = key, policy = policy } }]...)
}

resource "aws_iam_role" "this" {
  for_each = local.roles
  name     = "${var.name}-eks-${each.key}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = each.value.service } }]
  })
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each   = local.attached
  role       = aws_iam_role.this[each.value.role].name
  policy_arn = "arn:aws:iam::aws:policy/${each.value.policy}"
}
