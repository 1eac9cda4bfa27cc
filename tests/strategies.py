"""Any JSON, and any event, for hypothesis to look for one that breaks something."""

from hypothesis import strategies as st

from sfmap.engine.mapping.values.record import Event, Json

KEYS = st.one_of(
    st.sampled_from(
        (
            "email name firstName first_name lastName company phone phones address city street state zip employees"
            " website title rating status id plan __proto__ annualRevenue Email"
            " plan__c Plan plan_c test-prop testProp test_prop test\x01prop te\x01st_prop EMAIL e_mail last-name"
        ).split()
    ),
    st.text(max_size=12),
)
JSON: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)  # larger ones are read as floats
    | st.floats()
    | st.text(max_size=300)
    | st.sampled_from(["a@b.co", "Peter Gibbons", " ", "x" * 300]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=12,
)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["identify", "group"]),
            "traits": st.dictionaries(KEYS, JSON, max_size=12),
            "integrations": st.just({"Salesforce": True}),
        },
        optional={"userId": JSON, "groupId": JSON, "context": JSON},
    ),
    st.dictionaries(st.sampled_from(["type", "traits", "integrations", "userId", "groupId", "context"]), JSON),
)
