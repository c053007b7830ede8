"""Uploads are held in memory: an extract in a temporary file would outlive the request."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import MemoryFileUploadHandler, StopUpload
from django.urls import Resolver404, resolve

from src_app.accounts.models import User
from src_app.accounts.roles import Permission


class BoundedMemoryUploadHandler(MemoryFileUploadHandler):
    """Keeps files in memory, all of a request together no more than ``MAX_UPLOAD_BYTES``.

    Beyond that it stops without an error page: the form then finds no file and says what the limit is. From
    anybody without the page's permission, and on any page but those of ``UPLOAD_PAGES``, nothing is kept.
    """

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        self.activated = True
        self.left = settings.MAX_UPLOAD_BYTES if self._expected() else 0

    def _expected(self) -> bool:
        request = self.request
        user = getattr(request, "user", None)
        if request is None or not isinstance(user, User):
            return False
        try:
            permission = settings.UPLOAD_PAGES.get(resolve(request.path_info).view_name)
        except Resolver404:
            return False
        return permission is not None and user.can(Permission(permission))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self.left -= len(raw_data)
        if self.left < 0:
            raise StopUpload(connection_reset=False)
        return super().receive_data_chunk(raw_data, start)
