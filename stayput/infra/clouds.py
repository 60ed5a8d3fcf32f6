"""Where the resources go: the account that the environment names, or this machine's cloud."""

import pulumi
import pulumi_aws as aws

NO_ACCOUNT = "this-machine"  # credentials of no account: even a wrong address could do nothing with them


def provider(region: str, endpoint_url: str) -> aws.Provider | None:
    """The provider of this machine's cloud at endpoint_url; None without one: AWS and its default provider."""
    if not endpoint_url:
        return None
    return aws.Provider(
        "this-machine",
        region=region,
        endpoints=[aws.ProviderEndpointArgs(s3=endpoint_url, iam=endpoint_url, sts=endpoint_url)],
        access_key=NO_ACCOUNT,
        secret_key=NO_ACCOUNT,
        s3_use_path_style=True,
        skip_credentials_validation=True,
        skip_metadata_api_check=True,
        skip_region_validation=True,
        skip_requesting_account_id=True,
    )


def inside(provider: aws.Provider | None) -> pulumi.ResourceOptions:
    """The options that put a component and its children into that provider's cloud."""
    return pulumi.ResourceOptions(providers=[provider] if provider else None)
