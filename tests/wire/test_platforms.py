import pytest

from wire import PeerTable, platforms


@pytest.mark.parametrize(
    ("version", "generation"),
    [
        ("7.0.9.10000(6)", "cup7"),
        ("8.6(4)", "cup8"),
        ("9.1.1", "imp"),
        ("12.5.1.12900(115)", "imp"),
        ("15", "imp"),
    ],
)
def test_generation_follows_from_the_version(version, generation):
    assert platforms.generation_of(version) == generation


@pytest.mark.parametrize(
    "name",
    [
        "Cisco UP Intercluster Sync Agent",
        "Cisco  Intercluster Sync Agent ",
        "CISCO UP INTERCLUSTER SYNC AGENT",
    ],
)
def test_releases_name_one_service_differently(name):
    key = platforms.service_key("Cisco Intercluster Sync Agent")
    assert platforms.service_key(name) == key
    assert platforms.service_key("Cisco Sync Agent") != key


def test_only_services_of_the_vendor_have_up_in_their_names():
    assert platforms.service_key("UP Tool") != platforms.service_key("Tool")


def test_what_is_no_version_has_no_generation():
    with pytest.raises(ValueError, match="unknown"):
        platforms.generation_of("unknown")


@pytest.mark.parametrize(
    ("generation", "name"),
    [
        ("cup7", "Cisco UP Intercluster Sync Agent"),
        ("cup8", "Cisco UP Intercluster Sync Agent"),
        ("imp", "Cisco Intercluster Sync Agent"),
    ],
)
def test_sync_agent_bears_the_name_of_its_generation(generation, name):
    assert platforms.profile_of(generation).sync_agent == name


@pytest.mark.parametrize("generation", platforms.GENERATIONS)
def test_peer_table_of_a_profile_is_valid_and_unverified(generation):
    table = PeerTable.from_dict(platforms.profile_of(generation).peer_table)
    assert not table.verified
    assert PeerTable.from_dict(table.to_dict()) == table


@pytest.mark.parametrize("generation", platforms.GENERATIONS)
def test_profile_cannot_be_changed(generation):
    with pytest.raises(TypeError):
        platforms.profile_of(generation).labels["username"] = "x"


def test_unknown_generation_is_refused():
    with pytest.raises(KeyError):
        platforms.profile_of("../common")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("15.0.1", "14", "yes"),
        ("8.6(5)", "9.1.1", "yes"),
        ("12.5.1", "15.0", "unknown"),
        ("12.5.1", "14.0", "upgrade"),
        ("11.5.1", "12.5.1", "upgrade"),
        ("11.5.1", "14.0", "no"),
        ("10.5", "14.0", "no"),
        ("7.0", "15.0", "no"),
        ("10.5", "10.5", "yes"),
        ("7.0", "8.0", "unknown"),
    ],
)
def test_peering_of_releases_is_as_it_is_published(one, other, expected):
    assert platforms.peering_of(one, other) == expected
    assert platforms.peering_of(other, one) == expected
