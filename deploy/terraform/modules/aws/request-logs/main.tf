# A load balancer can write only to buckets with a key of S3.
data "aws_iam_policy_document" "this" {
  statement {
    sid       = "AccessLogs"
    actions   = ["s3:PutObject"]
    resources = ["arn:aws:s3:::${var.name}/*"]
    principals {
      type        = "Service"
      identifiers = ["logdelivery.elasticloadbalancing.amazonaws.com"]
    }
  }
}

module "bucket" {
  source      = "../bucket"
  name        = var.name
  expire_days = var.days
  disposable  = var.disposable
  policies    = [data.aws_iam_policy_document.this.json]
}
