"""The clients of object stores. None is made without keys: the library would ask the cloud's metadata address."""

from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from sfmap.engine.sources.stores.object_store_settings import Credentials, ObjectStoreSettings

if TYPE_CHECKING:
    from obstore.store import (
        AzureConfig,
        AzureCredential,
        AzureStore,
        ClientConfig,
        GCSConfig,
        GCSStore,
        RetryConfig,
        S3Config,
        S3Credential,
        S3Store,
    )

    ObjectClient = AzureStore | GCSStore | S3Store


@lru_cache
def object_client(scheme: str, bucket: str, settings: ObjectStoreSettings, retries: int) -> "ObjectClient":
    """The client of a bucket, which keeps its connections."""
    settings.check(scheme, f"{scheme}://{bucket}")
    web: ClientConfig = {
        "allow_http": settings.endpoint.startswith("http://"),
        "connect_timeout": "10s",
        "timeout": "60s",
    }
    patience: RetryConfig = {"max_retries": retries, "backoff": {"max_backoff": timedelta(seconds=5)}}
    if scheme == "s3":
        return _s3(bucket, settings, web, patience)
    if scheme == "gs":
        return _google(bucket, settings, web, patience)
    return _azure(bucket, settings, web, patience)


def _s3(bucket: str, settings: ObjectStoreSettings, web: "ClientConfig", patience: "RetryConfig") -> "S3Store":
    from obstore.store import S3Store

    config: S3Config = {"skip_signature": settings.credentials is Credentials.ANONYMOUS}
    if settings.endpoint:
        config["endpoint"] = settings.endpoint
    if settings.region:
        config["region"] = settings.region
    # Keys are not part of the configuration, which the library would complete from the environment.
    keys: S3Credential = {
        "access_key_id": settings.access_key_id,
        "secret_access_key": settings.secret_access_key,
        "token": settings.session_token or None,
        "expires_at": None,
    }
    provider = (lambda: keys) if settings.access_key_id else None
    return S3Store(bucket, config=config, client_options=web, retry_config=patience, credential_provider=provider)


def _google(
    bucket: str, settings: ObjectStoreSettings, web: "ClientConfig", patience: "RetryConfig"
) -> "GCSStore":
    from obstore.store import GCSStore

    config: GCSConfig = {"skip_signature": settings.credentials is Credentials.ANONYMOUS}
    if settings.endpoint:
        config["base_url"] = settings.endpoint
    if settings.service_account_key:
        config["service_account_key"] = settings.service_account_key
    elif settings.service_account:
        config["application_credentials"] = settings.service_account
    return GCSStore(bucket, config=config, client_options=web, retry_config=patience)


def _azure(
    bucket: str, settings: ObjectStoreSettings, web: "ClientConfig", patience: "RetryConfig"
) -> "AzureStore":
    from obstore.store import AzureStore

    config: AzureConfig = {
        "account_name": settings.account_name,
        "skip_signature": settings.credentials is Credentials.ANONYMOUS,
    }
    if settings.endpoint:
        config["endpoint"] = settings.endpoint
    keys: AzureCredential | None = None
    if settings.account_key:
        keys = {"access_key": settings.account_key, "expires_at": None}
    elif settings.sas_token:
        keys = {"sas_token": settings.sas_token, "expires_at": None}
    provider = (lambda: keys) if keys else None
    return AzureStore(
        bucket, config=config, client_options=web, retry_config=patience, credential_provider=provider
    )
