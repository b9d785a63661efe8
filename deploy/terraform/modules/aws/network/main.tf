data "aws_availability_zones" "available" {
  state = "available"
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  zones    = slice(sort(data.aws_availability_zones.available.names), 0, var.zone_count)
  cells    = { for index, zone in local.zones : zone => index }
  gateways = toset(var.nat == "one" ? [local.zones[0]] : local.zones)
  # Each tier's first subnet and the size of them all, in bits more than the VPC's.
  tiers = {
    public  = { bits = 4, first = 0, tags = { "kubernetes.io/role/elb" = "1" } }
    private = { bits = 4, first = 4, tags = { "kubernetes.io/role/internal-elb" = "1" } }
    data    = { bits = 8, first = 192, tags = {} }
  }
  subnets = merge([for tier, place in local.tiers : {
    for zone, index in local.cells : "${tier}-${zone}" => {
      tier = tier
      zone = zone
      cidr = cidrsubnet(var.cidr, place.bits, place.first + index)
      tags = place.tags
    }
  }]...)
  cluster = var.cluster_name == null ? {} : { "kubernetes.io/cluster/${var.cluster_name}" = "shared" }
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = var.name }
}

# Adopted to be emptied: what names no group of its own reaches nothing.
resource "aws_default_security_group" "closed" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.name}-closed" }
}

resource "aws_subnet" "this" {
  for_each                = local.subnets
  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.value.zone
  cidr_block              = each.value.cidr
  map_public_ip_on_launch = false
  tags                    = merge(local.cluster, each.value.tags, { Name = "${var.name}-${each.key}" })
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = var.name }
}

resource "aws_eip" "nat" {
  for_each = local.gateways
  domain   = "vpc"
  tags     = { Name = "${var.name}-nat-${each.key}" }
}

resource "aws_nat_gateway" "this" {
  for_each      = local.gateways
  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.this["public-${each.key}"].id
  tags          = { Name = "${var.name}-${each.key}" }
  depends_on    = [aws_internet_gateway.this]
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.name}-public" }
}

resource "aws_route" "out" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table" "private" {
  for_each = local.cells
  vpc_id   = aws_vpc.this.id
  tags     = { Name = "${var.name}-private-${each.key}" }
}

resource "aws_route" "nat" {
  for_each               = local.cells
  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[var.nat == "one" ? local.zones[0] : each.key].id
}

# No route leads out of it.
resource "aws_route_table" "data" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.name}-data" }
}

resource "aws_route_table_association" "this" {
  for_each  = local.subnets
  subnet_id = aws_subnet.this[each.key].id
  route_table_id = {
    public  = aws_route_table.public.id
    private = aws_route_table.private[each.value.zone].id
    data    = aws_route_table.data.id
  }[each.value.tier]
}

module "endpoints" {
  source          = "./endpoints"
  name            = var.name
  vpc_id          = aws_vpc.this.id
  region          = regex("^[a-z]{2}(?:-[a-z]+)+-[0-9]+", local.zones[0])
  subnets         = { for zone in local.zones : zone => { id = aws_subnet.this["private-${zone}"].id, cidr = local.subnets["private-${zone}"].cidr } }
  route_table_ids = [for table in aws_route_table.private : table.id]
  services        = var.interface_endpoints
}

module "flow_logs" {
  source      = "./flow-logs"
  name        = var.name
  vpc_id      = aws_vpc.this.id
  kms_key_arn = var.kms_key_arn
  days        = var.flow_log_days
}

module "acl" {
  source     = "./acl"
  name       = var.name
  vpc_id     = aws_vpc.this.id
  cidr       = var.cidr
  subnet_ids = { for tier in keys(local.tiers) : tier => [for zone in local.zones : aws_subnet.this["${tier}-${zone}"].id] }
}
