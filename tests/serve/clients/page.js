import { AnalyticsBrowser } from "@segment/analytics-next";
import { group, identify, integrations } from "./calls.js";

// Nothing but the host is other than at Segment.
const analytics = AnalyticsBrowser.load({ writeKey: WRITE_KEY, cdnURL: HOST });
analytics.identify(...identify, { integrations });
analytics.group(...group, { integrations });
