output "is_protected" {
  description = "Whether destroying is refused."
  value       = length(terraform_data.this) > 0
}
