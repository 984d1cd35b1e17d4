import pytest

from lab.database import LabDatabase, LabPeerTable
from lab.informix import InformixError
from lab.releases import release


@pytest.fixture
def database():
    database = LabDatabase(":memory:", release("imp"), LabPeerTable())
    for number in range(1, 6):
        sql = "insert into enduser (userid, primarynodeid) values ('u{0}', {0})"
        database.update(sql.format(number))
    yield database
    database.close()


def test_skip_and_first_page_through_the_rows(database):
    sql = "SELECT SKIP 1 FIRST 2 userid FROM enduser ORDER BY userid"
    assert database.query(sql).rows == [("u2",), ("u3",)]


def test_first_works_in_a_subquery(database):
    sql = "select userid from enduser where userid in (select first 1 userid from enduser order by userid)"  # noqa: E501
    assert database.query(sql).rows == [("u1",)]


def test_count_is_called_count(database):
    assert database.query("select count(*) from enduser").columns == ("count",)


def test_double_quotes_hold_strings(database):
    sql = 'select userid from enduser where userid = "u1"'
    assert database.query(sql).rows == [("u1",)]


def test_a_quote_in_a_string_is_doubled(database):
    database.update("insert into enduser (userid) values ('o''neil')")
    sql = "select userid from enduser where userid = 'o''neil'"
    assert database.query(sql).rows == [("o'neil",)]


def test_case_and_lower_are_understood(database):
    sql = "select case when primarynodeid = 1 then \"one\" else 'more' end kind from enduser where lower(userid) = 'u1'"  # noqa: E501
    assert database.query(sql).rows == [("one",)]


def test_flags_are_t_and_f(database):
    assert database.query("select first 1 enablecups from enduser").rows == [("t",)]


def test_like_minds_the_case(database):
    sql = "select userid from enduser where userid like 'U%'"
    assert database.query(sql).rows == []


def test_the_owner_may_be_named(database):
    sql = "select tabname from informix.systables where tabname = 'enduser'"
    assert database.query(sql).rows == [("enduser",)]


def test_the_catalogue_lists_the_columns_in_order(database):
    sql = "select c.colname from syscolumns c, systables t where c.tabid = t.tabid and t.tabname = 'cupsinterclusterpeers' order by c.colno"  # noqa: E501
    names = [row[0] for row in database.query(sql).rows]
    assert names[:3] == ["pkid", "peeraddress", "username"]


def test_a_primary_key_is_filled_in(database):
    database.update(
        "insert into cupsinterclusterpeers (peeraddress, preferredprotocol) "
        "values ('a', '1')"
    )
    rows = database.query("select pkid, description from cupsinterclusterpeers").rows
    assert (len(rows[0][0]), rows[0][1]) == (36, "left alone")


@pytest.mark.parametrize(
    ("code", "sql"),
    [
        (-201, "selec userid from enduser"),
        (-201, "select userid enduser"),
        (-201, "select userid from enduser limit 3"),
        (-201, "select userid from enduser; delete from enduser"),
        (-201, "select (userid from enduser"),
        (-206, "select a from nowhere"),
        (-206, "select name from sqlite_master"),
        (-206, "select password from lab_credential"),
        (-217, "select nonesuch from enduser"),
        (-282, "select userid from enduser where userid = 'open"),
        (-324, "select pkid from enduser, cupsinterclusterpeers"),
        (-674, "select group_concat(userid) from enduser"),
    ],
)
def test_a_mistake_gets_the_number_that_informix_gives(database, code, sql):
    with pytest.raises(InformixError) as error:
        database.query(sql)
    assert error.value.code == code


def test_a_duplicate_gets_239(database):
    sql = "insert into applicationuser (name) values ('a')"
    database.update(sql)
    with pytest.raises(InformixError) as error:
        database.update(sql)
    assert error.value.code == -239


def test_a_missing_value_gets_391(database):
    with pytest.raises(InformixError) as error:
        database.update("insert into applicationuser (name) values (null)")
    assert error.value.code == -391


def test_a_query_changes_nothing_and_an_update_asks_nothing(database):
    with pytest.raises(InformixError):
        database.query("delete from enduser")
    with pytest.raises(InformixError):
        database.update("select userid from enduser")


def test_imp_keeps_no_telephone_number_in_enduser(database):
    with pytest.raises(InformixError) as error:
        database.query("select telephonenumber from enduser")
    assert error.value.code == -217


@pytest.mark.parametrize("generation", ["cup7", "cup8"])
def test_cup_keeps_the_telephone_number_in_enduser(generation):
    database = LabDatabase(":memory:", release(generation), LabPeerTable())
    assert database.query("select telephonenumber from enduser").rows == []
    database.close()
