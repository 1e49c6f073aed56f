"""Asks a server, ``rescorer serve``, in place of a model in this process."""

import http.client
import json
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple, Type, Union
from urllib.parse import quote, urlencode, urlsplit

from ._errors import AdapterError, InvalidList, ModelError, PolicyError, RescorerError, SettingsError

_ERRORS: Dict[str, Type[RescorerError]] = {
    "list": InvalidList,
    "request": InvalidList,
    "adapter": AdapterError,
    "policy": PolicyError,
    "settings": SettingsError,
    "model": ModelError,
}


class ServerBusy(RescorerError):
    """The server has too many lists to answer, or stops. ``retry_after`` says in how many seconds to ask again."""

    kind = "job"

    def __init__(self, message: str, retry_after: Optional[float] = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ServerAnswer(NamedTuple):
    """An answer of a server."""

    text: str
    """The answer."""
    changed: bool
    """Whether it is another than the recogniser's."""
    position: int
    """Its place in the list, from 0."""
    served: str
    """How it was come by: ``whole``; or ``shorter``, ``base``, ``first-pass`` where the time was too short."""
    record: Dict[str, Any]
    """All that the server said."""

    @classmethod
    def _of(cls, record: Dict[str, Any]) -> "ServerAnswer":
        served = record.get("served", "whole")
        return cls(record["text"], record["changed"], record["position"], served, record)


class Client:
    """A connection to a server::

        with rescorer.Client("http://127.0.0.1:8741") as client:
            print(client.rescore(["please right it down", "please write it down"]).text)

    One thread at a time may use it.

    Args:
        url: where the server listens.
        token: what the server wants to see, if anything.
        timeout: seconds to wait for an answer.
    """

    def __init__(self, url: str = "http://127.0.0.1:8741", *, token: Optional[str] = None, timeout: float = 60.0) -> None:
        parts = urlsplit(url)
        kinds: Dict[str, Type[http.client.HTTPConnection]] = {
            "http": http.client.HTTPConnection,
            "https": http.client.HTTPSConnection,
        }
        if parts.scheme not in kinds or not parts.hostname:
            raise SettingsError(f"{url!r} is no address of a server; give one such as http://127.0.0.1:8741")
        self._base = parts.path.rstrip("/")
        self._connection = kinds[parts.scheme](parts.hostname, parts.port, timeout=timeout)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Hangs up. The next question connects again."""
        self._connection.close()

    def rescore(
        self,
        hypotheses: Union[Dict[str, Any], Iterable[str]],
        scores: Optional[Iterable[float]] = None,
        *,
        context: Optional[str] = None,
        adapter: Optional[str] = None,
        deadline: Optional[float] = None,
        nbest: bool = False,
    ) -> ServerAnswer:
        """Rescores one list.

        Args:
            hypotheses: texts, the recogniser's best first; or a list as an object, in any JSON that the server reads.
            scores: first-pass scores of the texts.
            context: text that the model reads before the list.
            adapter: the adapter to answer with.
            deadline: seconds to answer in.
            nbest: whether ``record["hypotheses"]`` is wanted, the list in its new order.

        Raises:
            InvalidList: the list can't be rescored.
            AdapterError: there is no such adapter, or it can't be loaded.
            ServerBusy: too many lists wait, or the server stops.
            RescorerError: no server, or one that fails.
        """
        record = _list_of(hypotheses, scores, context)
        query = _query(adapter, deadline, nbest)
        return ServerAnswer._of(self._ask("POST", f"/v1/rescore{query}", record))

    def rescore_many(
        self,
        lists: Iterable[Union[Dict[str, Any], Iterable[str]]],
        *,
        adapter: Optional[str] = None,
        deadline: Optional[float] = None,
        nbest: bool = False,
        window: int = 64,
        return_exceptions: bool = False,
    ) -> Iterator[Union[ServerAnswer, RescorerError]]:
        """Rescores lists as they come, in their order, ``window`` of them in a request.

        With ``return_exceptions`` an error takes the place of the answer of its list; without it, it is raised.
        """
        query = _query(adapter, deadline, nbest)
        pending: List[bytes] = []
        for one in lists:
            pending.append(json.dumps(_list_of(one, None, None)).encode())
            if len(pending) >= window:
                yield from self._lines(query, pending, return_exceptions)
                pending = []
        if pending:
            yield from self._lines(query, pending, return_exceptions)

    def adapters(self) -> List[Dict[str, Any]]:
        """The adapters of the server, by name."""
        answer: List[Dict[str, Any]] = self._ask("GET", "/v1/adapters")
        return answer

    def register(self, name: str) -> Dict[str, Any]:
        """Has the server register the folder of this name among its adapters, or read it anew."""
        answer: Dict[str, Any] = self._ask("PUT", f"/v1/adapters/{quote(name, safe='')}")
        return answer

    def forget(self, name: str) -> None:
        """Has the server forget an adapter; its folder stays."""
        self._ask("DELETE", f"/v1/adapters/{quote(name, safe='')}")

    def _lines(
        self, query: str, lists: List[bytes], return_exceptions: bool
    ) -> Iterator[Union[ServerAnswer, RescorerError]]:
        _, text = self._send("POST", f"/v1/rescore{query}", b"\n".join(lists), "application/x-ndjson")
        for line in text.splitlines():
            record = json.loads(line)
            if "error" not in record:
                yield ServerAnswer._of(record)
            elif return_exceptions:
                yield _error(record["error"])
            else:
                raise _error(record["error"])

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        status, text = self._send(method, path, data, "application/json")
        return json.loads(text) if text else None

    def _send(self, method: str, path: str, body: Optional[bytes], kind: str) -> Tuple[int, str]:
        headers = {**self._headers, "Content-Type": kind}
        for attempt in range(2):
            fresh = self._connection.sock is None
            try:
                self._connection.request(method, self._base + path, body, headers)
                response = self._connection.getresponse()
                text = response.read().decode()
                break
            except (ConnectionError, http.client.HTTPException, OSError) as error:
                self._connection.close()
                # A server hangs up on a connection that was idle; then the question never reached it.
                if fresh or attempt or isinstance(error, TimeoutError):
                    host = f"{self._connection.host}:{self._connection.port}"
                    raise RescorerError(f"no answer from {host}: {error!r}; is `rescorer serve` running there?") from error
        if response.status < 400:
            return response.status, text
        try:
            described = json.loads(text)["error"]
        except (ValueError, KeyError, TypeError):
            raise RescorerError(f"the server answered with status {response.status}: {text[:200]}") from None
        raise _error(described)


def _list_of(
    hypotheses: Union[Dict[str, Any], Iterable[str]], scores: Optional[Iterable[float]], context: Optional[str]
) -> Dict[str, Any]:
    if isinstance(hypotheses, str):
        raise InvalidList("a list is several texts, this is one; give [text, ...]")
    if isinstance(hypotheses, dict):
        if scores is not None:
            raise SettingsError("a list that is an object has its scores in it; leave out scores")
        record = dict(hypotheses)
    else:
        texts = list(hypotheses)
        if scores is None:
            record = {"hypotheses": texts}
        else:
            numbers = list(scores)
            if len(numbers) != len(texts):
                raise InvalidList(f"{len(texts)} texts have {len(numbers)} scores; give one for each")
            record = {"hypotheses": [{"text": text, "score": score} for text, score in zip(texts, numbers)]}
    if context is not None:
        record["context"] = context
    return record


def _query(adapter: Optional[str], deadline: Optional[float], nbest: bool) -> str:
    query: Dict[str, str] = {}
    if adapter is not None:
        query["adapter"] = adapter
    if deadline is not None:
        query["deadline_ms"] = str(max(round(1000 * deadline), 0))
    if nbest:
        query["nbest"] = "true"
    return f"?{urlencode(query)}" if query else ""


def _error(described: Dict[str, Any]) -> RescorerError:
    kind, message = described["kind"], described["message"]
    if kind in ("busy", "stopping"):
        return ServerBusy(message, described.get("retry_after"))
    return _ERRORS.get(kind, RescorerError)(message)


__all__ = ["Client", "ServerAnswer", "ServerBusy"]
