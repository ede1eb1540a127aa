// Writes every <time> in the reader's language, calendar and time zone. Without this the page shows ISO 8601.
"use strict";
for (const element of document.querySelectorAll("time[datetime]")) {
  const text = element.dateTime, isDay = text.length === 10, moment = new Date(text);
  const style = isDay ? { dateStyle: "medium", timeZone: "UTC" } : { dateStyle: "medium", timeStyle: "short" };
  if (!isNaN(moment)) {
    element.title = element.textContent;
    element.textContent = new Intl.DateTimeFormat(document.documentElement.lang, style).format(moment);
  }
}
