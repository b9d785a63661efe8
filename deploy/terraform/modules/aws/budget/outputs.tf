output "name" {
  description = "Its name."
  value       = aws_budgets_budget.this.name
}
