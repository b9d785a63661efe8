locals {
  groups = {
    load-balancer = "The load balancer: from the internet, to the service"
    service       = "API and workers: from the load balancer, to databases and outside"
    postgres      = "PostgreSQL: from the service"
    redis         = "Redis: from the service"
  }
  # to => from, on which port
  inside = {
    service-load-balancer = { to = "service", from = "load-balancer", port = var.service_port }
    postgres-service      = { to = "postgres", from = "service", port = 5432 }
    redis-service         = { to = "redis", from = "service", port = 6379 }
  }
  front = { for pair in setproduct(var.clients, [80, 443]) : "${pair[0]}-${pair[1]}" => { range = pair[0], port = pair[1] } }
}

resource "aws_security_group" "this" {
  for_each    = local.groups
  name        = "${var.name}-${each.key}"
  description = each.value
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-${each.key}" }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each          = local.front
  security_group_id = aws_security_group.this["load-balancer"].id
  description       = "${each.value.port} from ${each.value.range}"
  cidr_ipv4         = each.value.range
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  tags              = { Name = "${var.name}-clients" }
}

resource "aws_vpc_security_group_ingress_rule" "inside" {
  for_each                     = local.inside
  security_group_id            = aws_security_group.this[each.value.to].id
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  description                  = "${each.value.port} from ${each.value.from}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  tags                         = { Name = "${var.name}-${each.key}" }
}

resource "aws_vpc_security_group_egress_rule" "inside" {
  for_each                     = local.inside
  security_group_id            = aws_security_group.this[each.value.from].id
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  description                  = "${each.value.port} to ${each.value.to}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  tags                         = { Name = "${var.name}-${each.key}" }
}

resource "aws_vpc_security_group_egress_rule" "outside" {
  for_each          = { for port in var.outgoing_ports : tostring(port) => port }
  security_group_id = aws_security_group.this["service"].id
  description       = "${each.key} outside"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
  tags              = { Name = "${var.name}-outside" }
}
