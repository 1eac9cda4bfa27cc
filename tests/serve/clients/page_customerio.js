import { AnalyticsBrowser } from "@customerio/cdp-analytics-browser";
import { group, identify, integrations } from "./calls.js";

// Nothing but the host is other than at Customer.io.
const analytics = AnalyticsBrowser.load({ writeKey: WRITE_KEY, cdnURL: HOST });
analytics.identify(...identify, { integrations });
analytics.group(...group, { integrations });
