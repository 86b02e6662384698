"""Settings from QUARTZLENS_* in the environment, overridden by flags.

Seen by the command line and the dashboard's state alone.
"""

from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from quartzlens.entrance import Locks
from quartzlens.errors import UsageError


class Settings(BaseSettings):
    """What holds for a whole process.

    Attributes
    ----------
    collection
        Folder of the collection (``QUARTZLENS_COLLECTION``).
    pause_seconds
        Mean pause between two downloads from a site (``QUARTZLENS_PAUSE_SECONDS``).
    allow_hosts
        Names or addresses that links may lead to although they are private, comma separated
        (``QUARTZLENS_ALLOW_HOSTS``).
    cookies
        File of cookies in the Netscape format to download with (``QUARTZLENS_COOKIES``).
    proxy
        Address of a proxy to download through, ``http://[USER:PASSWORD@]HOST:PORT`` (``QUARTZLENS_PROXY``).
    device
        Where the collection is searched: ``auto``, ``cpu`` or ``cuda`` (``QUARTZLENS_DEVICE``).
    password_hash
        What the dashboard asks for at its entrance, as ``quartzlens password`` prints it
        (``QUARTZLENS_PASSWORD_HASH``).
    trusted_proxy_secret
        What a proxy that lets people in sends along with every request (``QUARTZLENS_TRUSTED_PROXY_SECRET``).
    """

    model_config = SettingsConfigDict(env_prefix="QUARTZLENS_", frozen=True, extra="ignore")

    collection: Path = Path("collection")
    pause_seconds: float = 7.0
    allow_hosts: str = ""
    cookies: Path | None = None
    proxy: SecretStr = SecretStr("")
    device: Literal["auto", "cpu", "cuda"] = "auto"
    password_hash: SecretStr = SecretStr("")
    trusted_proxy_secret: SecretStr = SecretStr("")

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """The allowed private hosts as a set."""
        return frozenset(host.strip() for host in self.allow_hosts.split(",") if host.strip())

    @property
    def locks(self) -> Locks:
        """What the dashboard asks at its entrance."""
        return Locks(self.password_hash.get_secret_value(), self.trusted_proxy_secret.get_secret_value())


def load_settings(**flags: Any) -> Settings:
    """Settings of this process; flags that are None do not override. UsageError for a value of the wrong kind."""
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(["QUARTZLENS", *map(str, first["loc"])]).upper()
        raise UsageError(f"{name} is {first['input']!r}: {first['msg']}.") from error
