resource "terraform_data" "this" {
  count = var.is_protected ? 1 : 0
  lifecycle {
    prevent_destroy = true
  }
}
