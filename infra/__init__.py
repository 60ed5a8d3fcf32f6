"""The Pulumi program: one media bucket and its least-privileged uploader."""
