# What may cross the edge of each tier: [protocol, range, first port, last port]. Security groups say
# who may reach whom; these rules hold also where somebody attaches a wrong group. Within the network
# the private tier speaks any protocol: pods in different zones ask each other for names by UDP.
locals {
  world = "0.0.0.0/0"
  acls = {
    public = {
      ingress = [["tcp", local.world, 80, 80], ["tcp", local.world, 443, 443], ["tcp", local.world, 1024, 65535], ["tcp", var.cidr, 0, 1023]]
      egress  = [["tcp", local.world, 0, 65535]]
    }
    private = {
      ingress = [["-1", var.cidr, 0, 0], ["tcp", local.world, 1024, 65535]]
      egress  = [["-1", var.cidr, 0, 0], ["tcp", local.world, 0, 65535]]
    }
    data = {
      ingress = [["tcp", var.cidr, 5432, 5432], ["tcp", var.cidr, 6379, 6379]]
      egress  = [["tcp", var.cidr, 1024, 65535]]
    }
  }
}

resource "aws_network_acl" "this" {
  for_each   = local.acls
  vpc_id     = var.vpc_id
  subnet_ids = var.subnet_ids[each.key]
  tags       = { Name = "${var.name}-${each.key}" }

  dynamic "ingress" {
    for_each = { for index, rule in each.value.ingress : index => rule }
    content {
      rule_no    = 100 + ingress.key
      action     = "allow"
      protocol   = ingress.value[0]
      cidr_block = ingress.value[1]
      from_port  = tonumber(ingress.value[2])
      to_port    = tonumber(ingress.value[3])
    }
  }

  dynamic "egress" {
    for_each = { for index, rule in each.value.egress : index => rule }
    content {
      rule_no    = 100 + egress.key
      action     = "allow"
      protocol   = egress.value[0]
      cidr_block = egress.value[1]
      from_port  = tonumber(egress.value[2])
      to_port    = tonumber(egress.value[3])
    }
  }
}
