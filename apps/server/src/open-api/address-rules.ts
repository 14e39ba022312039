import type { AddressRules } from "@cardwright/contract";
import countries from "i18n-iso-countries";
import { getCountries, getCountryCallingCode } from "libphonenumber-js";
import isPostalCode, { locales } from "validator/lib/isPostalCode.js";
