# What may cross the edge of each tier, in TCP: [range, first port, last port]. Security groups say
# who may reach whom; these rules hold also where somebody attaches a wrong group.
locals {
  world = "0.0.0.0/0"
  acls = {
    public = {
      ingress = [[local.world, 80, 80], [local.world, 443, 443], [local.world, 1024, 65535], [var.cidr, 0, 1023]]
      egress  = [[local.world, 0, 65535]]
    }
    private = {
      ingress = [[var.cidr, 0, 65535], [local.world, 1024, 65535]]
      egress  = [[local.world, 0, 65535]]
    }
    data = {
      ingress = [[var.cidr, 5432, 5432], [var.cidr, 6379, 6379]]
      egress  = [[var.cidr, 1024, 65535]]
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
      protocol   = "tcp"
      cidr_block = ingress.value[0]
      from_port  = ingress.value[1]
      to_port    = ingress.value[2]
    }
  }

  dynamic "egress" {
    for_each = { for index, rule in each.value.egress : index => rule }
    content {
      rule_no    = 100 + egress.key
      action     = "allow"
      protocol   = "tcp"
      cidr_block = egress.value[0]
      from_port  = egress.value[1]
      to_port    = egress.value[2]
    }
  }
}
