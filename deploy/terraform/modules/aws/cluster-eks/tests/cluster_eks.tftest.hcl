provider "aws" {
  region = "us-east-1"
}

variables {
  name                   = "outrigger-test"
  subnet_ids             = ["subnet-1", "subnet-2", "subnet-3"]
  node_security_group_id = "sg-1"
  kms_key_arn            = "arn:aws:kms:us-east-1:123456789012:key/1"
  metrics_log_group      = "/outrigger-test/metrics"
  nodes                  = { steady = { types = ["m7g.large"], min = 2, max = 6 }, spare = { types = ["m7g.large", "m6g.large"], min = 0, max = 10, spot = true } }
  administrators         = ["arn:aws:iam::123456789012:role/operators"]
  deployers              = ["arn:aws:iam::123456789012:role/outrigger-ci-deploy"]
  tags                   = { Environment = "test" }
}

run "private_and_encrypted" {
  command = apply
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_private_access && !aws_eks_cluster.this.vpc_config[0].endpoint_public_access
    error_message = "the endpoint is private"
  }
  assert {
    condition     = one(aws_eks_cluster.this.encryption_config).resources == toset(["secrets"]) && contains(aws_eks_cluster.this.enabled_cluster_log_types, "audit")
    error_message = "secrets are encrypted, and who did what is logged"
  }
  assert {
    condition     = aws_launch_template.this.metadata_options[0].http_tokens == "required" && aws_launch_template.this.metadata_options[0].http_put_response_hop_limit == 1 && tobool(aws_launch_template.this.block_device_mappings[0].ebs[0].encrypted) && length(aws_launch_template.this.network_interfaces) == 0
    error_message = "pods cannot take the node's role, disks are encrypted, and nodes have no public addresses"
  }
  assert {
    condition     = { for t in aws_launch_template.this.tag_specifications : t.resource_type => t.tags } == { for kind in ["instance", "network-interface", "volume"] : kind => tomap({ Environment = "test", Name = "outrigger-test-node" }) }
    error_message = "nodes, their disks and addresses are counted with the environment"
  }
  assert {
    condition     = alltrue([for line in ["log_group_name    /outrigger-test/metrics\n", "region            $${AWS_REGION}\n"] : strcontains(module.addons.log_files["outrigger-metrics.conf"], line)])
    error_message = "metrics arrive as such"
  }
  assert {
    condition     = jsondecode(aws_eks_addon.first["vpc-cni"].configuration_values).enableNetworkPolicy == "true"
    error_message = "network policies are more than words"
  }
  assert {
    condition     = contains(aws_launch_template.this.vpc_security_group_ids, "sg-1")
    error_message = "nodes carry the service's group, which databases let in"
  }
  assert {
    condition     = { for key, g in aws_eks_node_group.this : key => g.capacity_type } == { steady = "ON_DEMAND", spare = "SPOT" } && alltrue([for g in aws_eks_node_group.this : length(g.subnet_ids) == 3])
    error_message = "nodes stand in all zones, on demand and spare"
  }
  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API" && !aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions && module.access.policies == { "arn:aws:iam::123456789012:role/operators" = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy" }
    error_message = "only those who are named get in"
  }
  assert {
    condition     = module.access.groups == { "arn:aws:iam::123456789012:role/outrigger-ci-deploy" = toset(["outrigger-deployers"]) }
    error_message = "the pipeline may do what its group may, and no more"
  }
}

run "wrong_input" {
  command = plan
  variables {
    kubernetes_version = "1.20"
    subnet_ids         = ["subnet-1"]
    public_access      = ["0.0.0.0/0"]
    nodes              = { spare = { types = ["m7g.large"], min = 0, max = 1, spot = true } }
    architecture       = "MIPS"
  }
  expect_failures = [var.kubernetes_version, var.subnet_ids, var.public_access, var.nodes, var.architecture]
}
