import { RudderAnalytics } from "@rudderstack/analytics-js/bundled";
import { group, identify, integrations } from "./calls.js";

// Nothing but the two addresses is other than at RudderStack.
const analytics = new RudderAnalytics();
analytics.load(WRITE_KEY, HOST, { configUrl: HOST });
analytics.identify(...identify, { integrations });
analytics.group(...group, { integrations });
