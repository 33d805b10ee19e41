"""The authors' weights: from a local copy or downloaded, exactly theirs, and never run."""

import functools
import http.server
import os
import pickle
import sys
import threading
import types

import numpy as np
import pytest
import torch

from advmip.errors import InputError
from advmip.networks import ARCHITECTURES, new_network, released
from advmip.networks.architectures.residual import ResidualNetwork
from advmip.networks.released import read_pickled_module, released_network


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Random weights in place of the published ones, as the files of the repository."""
    folder = tmp_path / "repository"
    folder.mkdir()
    releases, networks = {}, {}
    for name, release in released._RELEASES.items():
        networks[name] = network = new_network(ARCHITECTURES[name], seed=7)
        releases[name] = released._Release(release.file, network.digest)
        if release.file.endswith(".npz"):
            write_npz(network, folder / release.file)
        else:
            save_as_authors(network, folder / release.file)
    monkeypatch.setattr(released, "_RELEASES", releases)
    return folder, networks


@pytest.fixture
def repository(published, monkeypatch):
    """The files behind a server, and the addresses that were asked for."""
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format, *arguments):
            asked.append(self.path)

    handler = functools.partial(Handler, directory=published[0])
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setattr(released, "REPOSITORY", f"http://127.0.0.1:{server.server_port}")
        yield asked
        server.shutdown()
        thread.join()


def write_npz(network, file):
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savez(file, **{key: value.numpy() for key, value in network.body.state_dict().items()})


def save_as_authors(network, file):
    """Save the module whole, of a class that no reader can import."""
    body = network.body
    module = types.ModuleType("model")
    module.ResNet8_3 = type("ResNet8_3", (ResidualNetwork,), {"__module__": "model"})
    sys.modules["model"] = module
    try:
        body.__class__ = module.ResNet8_3
        body.relu = torch.nn.ReLU()
        torch.save(body, file)
        del body.relu
        body.__class__ = ResidualNetwork
    finally:
        del sys.modules["model"]


@pytest.mark.parametrize("name", ["cnn_light", "cnn", "resnet8"])
def test_a_local_copy_is_read_without_a_download(published, tmp_path, name):
    network = published[1][name]
    write_npz(network, tmp_path / "local" / "zhao_kronqvist" / f"{name}.npz")
    loaded = released_network(name, network_dir=tmp_path / "local")
    assert loaded.digest == network.digest
    assert loaded.architecture.name == name


@pytest.mark.parametrize("name", ["cnn_light", "cnn", "resnet8"])
def test_without_a_local_copy_it_is_downloaded_once(published, repository, tmp_path, name):
    for _ in range(2):
        loaded = released_network(name, tmp_path / "local", tmp_path / "downloads")
        assert loaded.digest == published[1][name].digest
    assert repository == [f"/{released._RELEASES[name].file}"]
    images = torch.rand(2, *loaded.architecture.input_shape)
    torch.testing.assert_close(loaded(images), published[1][name].frozen()(images))


@pytest.mark.parametrize("name", ["cnn", "resnet8"])
def test_other_weights_than_the_published_are_refused(published, repository, tmp_path, name):
    other = new_network(ARCHITECTURES[name], seed=8)
    write_npz(other, tmp_path / "local" / "zhao_kronqvist" / f"{name}.npz")
    with pytest.raises(InputError) as caught:
        released_network(name, tmp_path / "local")
    assert other.digest in caught.value.found
    assert published[1][name].digest in caught.value.expected


def test_a_file_that_the_repository_lacks_is_answered(published, repository, tmp_path):
    (published[0] / released._RELEASES["cnn"].file).unlink()
    with pytest.raises(InputError) as caught:
        released_network("cnn", tmp_path / "local", tmp_path / "downloads")
    assert "404" in caught.value.found
    assert released._RELEASES["cnn"].file in caught.value.expected
    assert "zhao_kronqvist/cnn.npz" in caught.value.mend


def test_no_network_is_answered_with_three_ways(published, monkeypatch, tmp_path):
    monkeypatch.setattr(released, "REPOSITORY", "http://127.0.0.1:9")
    with pytest.raises(InputError) as caught:
        released_network("cnn", download_dir=tmp_path)
    assert all(way in caught.value.mend for way in ("(1)", "(2)", "(3)"))
    assert len(str(caught.value).splitlines()) == 4


def test_an_unknown_network_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="did you mean 'resnet8'"):
        released_network("ResNet-8")


def test_a_saved_module_gives_its_state_and_its_class_is_not_imported(published):
    file = published[0] / released._RELEASES["resnet8"].file
    assert b"ResNet8_3" in file.read_bytes()
    tensors = read_pickled_module(file)
    state = published[1]["resnet8"].body.state_dict()
    assert tensors.keys() == state.keys()
    assert all(torch.equal(tensors[key], state[key]) for key in state)
    assert not any(tensor.requires_grad for tensor in tensors.values())


class Trap:
    """Runs a function when it is unpickled."""

    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


@pytest.mark.parametrize(("function", "refused"), [(open, False), (eval, False), (os.mkdir, True)])
def test_code_in_a_saved_module_is_not_run(tmp_path, function, refused):
    trapped = tmp_path / "trapped"
    argument = f"open({str(trapped)!r}, 'w')" if function is eval else str(trapped)
    more = ("w",) if function is open else ()
    body = torch.nn.Linear(2, 2)
    body.trap = Trap(function, argument, *more)
    torch.save(body, tmp_path / "module.pth")
    if refused:
        with pytest.raises(InputError, match="without running code"):
            read_pickled_module(tmp_path / "module.pth")
    else:
        assert read_pickled_module(tmp_path / "module.pth").keys() == {"weight", "bias"}
    assert not trapped.exists()
    # The trap is real: an ordinary unpickling springs it.
    pickle.loads(pickle.dumps(body.trap))
    assert trapped.exists()


def test_a_damaged_or_foreign_file_is_refused(published, tmp_path):
    content = (published[0] / released._RELEASES["resnet8"].file).read_bytes()
    file = tmp_path / "module.pth"
    for end in [0, 10, *range(1000, len(content), 90_000), len(content) - 1]:
        file.write_bytes(content[:end])
        with pytest.raises(InputError, match="truncated"):
            read_pickled_module(file)
    torch.save({"weight": torch.zeros(2)}, file)
    with pytest.raises(InputError, match="saved whole"):
        read_pickled_module(file)


def test_the_published_digests_are_three_different_ones():
    digests = {release.digest for release in released._RELEASES.values()}
    assert len(digests) == 3
    assert all(len(digest) == 64 for digest in digests)
