resource "segment_destination_subscription" "id-1" {
  action_id      = "5DAMQ5qUaF2rZoyVNiReCa"
  destination_id = "6447cc981985cee58b268285"
  enabled        = true
  model_id       = null
  name           = "People"
  settings       = "{\"email\":{\"@path\":\"$.traits.email\"},\"last_name\":{\"@path\":\"$.traits.lastName\"},\"mailing_city\":{\"@path\":\"$.traits.address.city\"},\"operation\":\"upsert\",\"recordMatcherOperator\":\"AND\",\"traits\":{\"Email\":{\"@path\":\"$.traits.email\"},\"LastName\":{\"@path\":\"$.traits.lastName\"}}}"
  trigger        = "type = \"identify\" or type = \"track\""
}
