"""AWS on this machine: a process that plays S3 and IAM, and the resources that a Pulumi program can make in it."""
